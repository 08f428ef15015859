import { splitCsvLine } from '#lib'

/** `type=local,dest=path` as pairs. Throws Error for a field without `=`. Keys are in small letters. */
export function parseFields(text: string): [key: string, value: string][] {
  return splitCsvLine(text).map((field) => {
    const equals = field.indexOf('=')
    if (equals < 0) throw new Error(`invalid field '${field}' must be a key=value pair`)
    return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)]
  })
}
