/** One line of CSV, as Docker's options use it: quotes around a field, doubled inside. Throws SyntaxError with the text of Go's encoding/csv. */
export function splitCsvLine(text: string): string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (text[at] === '"') {
      const [field, end] = quotedField(text, at)
      fields.push(field)
      at = end
    } else {
      const comma = text.indexOf(',', at)
      const field = comma < 0 ? text.slice(at) : text.slice(at, comma)
      const quote = field.indexOf('"')
      if (quote >= 0) throw new SyntaxError(`parse error on line 1, column ${at + quote + 1}: bare " in non-quoted-field`)
      fields.push(field)
      at = comma < 0 ? text.length : comma
    }
    if (at >= text.length) return fields
    at++ // the comma
  }
}

function quotedField(text: string, start: number): [string, number] {
  let field = ''
  let at = start + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote < 0) throw new SyntaxError(`parse error on line 1, column ${text.length + 1}: extraneous or missing " in quoted-field`)
    field += text.slice(at, quote)
    if (text[quote + 1] === '"') {
      field += '"'
      at = quote + 2
      continue
    }
    const next = text[quote + 1]
    if (next !== undefined && next !== ',') {
      throw new SyntaxError(`parse error on line 1, column ${quote + 1}: extraneous or missing " in quoted-field`)
    }
    return [field, quote + 1]
  }
}
