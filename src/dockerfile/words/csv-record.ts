import { DockerfileError } from '../dockerfile-error.ts'

/** One line of comma separated fields, `"…"` around those with commas, `""` for a quote in them. `what` goes into errors: `mounts`. */
export function parseCsvRecord(text: string, what: string): string[] {
  const fields: string[] = []
  for (let i = 0; ;) {
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(text.slice(i))
    const field = quoted?.[0] ?? /^[^,]*/.exec(text.slice(i))?.[0] ?? ''
    if (quoted === null && field.includes('"')) throw new DockerfileError(`failed to parse csv ${what}: ${complaint(field)}`)
    fields.push(quoted === null ? field : (quoted[1] ?? '').replaceAll('""', '"'))
    i += field.length + 1
    if (i > text.length) return fields
  }
}

function complaint(field: string): string {
  return field.startsWith('"') ? 'extraneous or missing " in quoted-field' : 'bare " in non-quoted-field'
}
