/** PAX records: `LENGTH KEY=VALUE\n`, the length counting itself. Source: POSIX.1-2017 pax(1), "pax Extended Header". */

import { invalidArgument } from '#errors'

/** Records in order; a key may come twice (GNU sparse 0.0). Values are bytes: extended attributes hold anything. */
export function decodePax(bytes: Buffer): { key: string; value: Buffer }[] {
  const records: { key: string; value: Buffer }[] = []
  for (let position = 0; position < bytes.length && bytes[position] !== 0;) {
    const space = bytes.indexOf(0x20, position)
    const digits = space < 0 || space - position > 10 ? '' : bytes.toString('latin1', position, space)
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0
    const end = position + length
    // A length that lies would let one record reach into the next header: everything is checked against it.
    if (length <= digits.length + 2 || end > bytes.length || bytes[end - 1] !== 0x0a)
      throw invalidArgument('invalid tar header: malformed PAX record')
    const equals = bytes.indexOf(0x3d, space + 1)
    if (equals < 0 || equals >= end || equals === space + 1) throw invalidArgument('invalid tar header: malformed PAX record')
    records.push({ key: bytes.toString('utf8', space + 1, equals), value: bytes.subarray(equals + 1, end - 1) })
    position = end
  }
  return records
}

export function encodePax(records: Iterable<readonly [key: string, value: Buffer | string]>): Buffer {
  const parts: Buffer[] = []
  for (const [key, value] of records) {
    const content = Buffer.byteLength(` ${key}=`) + Buffer.byteLength(value) + 1
    let length = content + 1
    while (content + String(length).length !== length) length = content + String(length).length
    const start = `${length} ${key}=`
    if (typeof value === 'string') parts.push(Buffer.from(`${start}${value}\n`))
    else parts.push(Buffer.from(start), value, NEWLINE)
  }
  return Buffer.concat(parts)
}

const NEWLINE: Buffer = Buffer.from('\n')

/** A time in decimal seconds, `-1.5`, as nanoseconds. Throws INVALID_ARGUMENT. */
export function decodePaxTime(value: Buffer): bigint {
  const match = /^(-?)([0-9]{1,18})(?:\.([0-9]*))?$/.exec(value.toString('latin1'))
  if (match === null) throw invalidArgument('invalid tar header: malformed PAX time')
  const [, sign, seconds = '', fraction = ''] = match
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return sign === '-' ? -nanoseconds : nanoseconds
}

export function encodePaxTime(time: bigint): string {
  const magnitude = time < 0n ? -time : time
  const fraction = (magnitude % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return `${time < 0n ? '-' : ''}${magnitude / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}`
}

/** A natural number in decimal. Throws INVALID_ARGUMENT. */
export function decodePaxNumber(value: Buffer, key: string): number {
  const text = value.toString('latin1')
  const number = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN
  if (!Number.isSafeInteger(number)) throw invalidArgument(`invalid tar header: PAX ${key} is not a number`)
  return number
}
