/** Go's zero time, which stands for "never" wherever the API has a time. */
export const ZERO_TIME = '0001-01-01T00:00:00Z'

/** RFC 3339 with nanoseconds, as Go writes it: no trailing zeros. */
export function formatNano(nanoseconds: bigint): string {
  const seconds = new Date(Number(nanoseconds / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  const fraction = String(nanoseconds % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`
}
