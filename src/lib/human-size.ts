/** Sizes for people, as Docker's tools print and read them. Source: documentation and tests of github.com/docker/go-units v0.5. */

const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']
const PREFIXES = 'kmgtp'

/** Bytes in powers of 1000, `precision` significant digits: `1.234MB`; with 3, as `docker images` does, `1.23MB`. */
export function humanSize(bytes: number, precision = 4): string {
  return scaled(bytes, 1000, DECIMAL_UNITS, precision)
}

/** Bytes in powers of 1024: `1.5MiB`. */
export function bytesSize(bytes: number): string {
  return scaled(bytes, 1024, BINARY_UNITS, 4)
}

/** Bytes of `512m`, `1.5GiB`, `64k`, `1024`: powers of 1024 whatever the spelling. Throws SyntaxError `invalid size: 'x'` / `invalid suffix: 'x'`. */
export function parseRamBytes(text: string): number {
  return parseSize(text, 1024)
}

/** Bytes of `10MB`, `1.5k`: powers of 1000. Throws SyntaxError as {@link parseRamBytes}. */
export function parseHumanSize(text: string): number {
  return parseSize(text, 1000)
}

function scaled(bytes: number, base: number, units: string[], precision: number): string {
  let value = bytes
  let unit = 0
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit++
  }
  return `${significant(value, precision)}${units[unit] ?? ''}`
}

/** C's and Go's `%.<precision>g`. */
function significant(value: number, precision: number): string {
  const text = value.toPrecision(precision)
  const exponent = /^(-?\d)(?:\.(\d*?))?0*e([+-])(\d+)$/.exec(text)
  if (exponent !== null) {
    const [, first = '', fraction = '', sign = '+', digits = ''] = exponent
    return `${first}${fraction === '' ? '' : `.${fraction}`}e${sign}${digits.padStart(2, '0')}`
  }
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function parseSize(text: string, base: number): number {
  const match = /^(.*[\d. ])(.*)$/s.exec(text)
  if (match === null) throw new SyntaxError(`invalid size: '${text}'`)
  const [, head = '', suffix = ''] = match
  // One space between number and unit is allowed, and only one.
  const number = head.endsWith(' ') ? head.slice(0, -1) : head
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(number) || Number(number) < 0) throw new SyntaxError(`invalid size: '${text}'`)
  if (suffix === '') return Math.trunc(Number(number))
  const lower = suffix.toLowerCase()
  if (lower === 'b') return Math.trunc(Number(number))
  const power = /^([kmgtp])(?:i?b)?$/.exec(lower)?.[1]
  if (power === undefined) throw new SyntaxError(`invalid suffix: '${suffix.length > 3 ? suffix : lower}'`)
  return Math.trunc(Number(number) * base ** (PREFIXES.indexOf(power) + 1))
}
