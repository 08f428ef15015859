/** One line of a log, `key=value key="two words"`, without its newline. What is no string is shown as JSON. Source: brandur.org/logfmt, as logrus writes it. */
export function logfmt(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${quote(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined'))}`)
    .join(' ')
}

/** A value from outside must not be able to begin a new line or field. */
function quote(value: string): string {
  return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value)
}
