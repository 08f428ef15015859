/** What Go's strconv.ParseBool takes: `1`, `t`, `TRUE` …, but not `tRuE` or `yes`. Throws SyntaxError with Go's text. */
export function parseGoBoolean(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  throw new SyntaxError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}
