const YES = ['1', 't', 'T', 'TRUE', 'true', 'True']
const NO = ['0', 'f', 'F', 'FALSE', 'false', 'False']

/** What Go's strconv.ParseBool takes: `1`, `t`, `TRUE` …, but not `tRuE` or `yes`. Throws SyntaxError with Go's text. */
export function parseGoBoolean(text: string): boolean {
  if (YES.includes(text)) return true
  if (NO.includes(text)) return false
  throw new SyntaxError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}

/** Whether it is one of Go's words for true; what is no boolean at all, or not there, is not. For where Go programs pass over ParseBool's error. */
export function isGoTrue(text: string | undefined): boolean {
  return text !== undefined && YES.includes(text)
}
