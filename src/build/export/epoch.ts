import { invalidArgument } from '#errors'

/**
 * The time that nothing may be younger than, in milliseconds: the exporter's own attribute, else the build argument. Empty: none. Source: moby/buildkit
 * exporter/util/epoch/parse.go.
 */
export function parseEpoch(attribute: string | undefined, options: Readonly<Record<string, string>>): number | undefined {
  const text = attribute ?? options['build-arg:SOURCE_DATE_EPOCH'] ?? ''
  if (text === '') return undefined
  if (!/^-?\d{1,12}$/.test(text)) throw invalidArgument(`invalid SOURCE_DATE_EPOCH: ${text}`)
  return Number(text) * 1000
}

/** As Go writes a time: no fraction where there is none. */
export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z')
}
