/** A quoted-string of a header. Source: RFC 9110, section 5.6.4. Control characters, which no parser takes, become question marks. */
export function quoted(text: string): string {
  // eslint-disable-next-line no-control-regex
  return `"${text.replace(/[\u0000-\u001f\u007f-\uffff]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
