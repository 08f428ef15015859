/** The query string of a request, read with Docker's rules. Source: moby `daemon/server/httputils/form.go`. */

import { invalidArgument } from '#errors'

const FALSE_WORDS = new Set(['', '0', 'no', 'false', 'none'])
const UINT32_MAX = 0xffff_ffff

export class Query {
  readonly #params: URLSearchParams

  constructor(search: string) {
    this.#params = new URLSearchParams(search)
  }

  has(name: string): boolean {
    return this.#params.has(name)
  }

  /** The first value; empty when absent. */
  text(name: string): string {
    return this.#params.get(name) ?? ''
  }

  /** Every value, in order. */
  all(name: string): string[] {
    return this.#params.getAll(name)
  }

  /** `"" 0 no false none`, in any case and with spaces around, are false, everything else is true. */
  bool(name: string, absent = false): boolean {
    const value = this.#params.get(name)
    return value === null ? absent : !FALSE_WORDS.has(value.trim().toLowerCase())
  }

  /** A decimal integer; undefined when absent or empty. Throws INVALID_ARGUMENT with Go's text. */
  integer(name: string): number | undefined {
    const value = this.text(name)
    if (value === '') return undefined
    if (!/^[+-]?\d+$/.test(value)) throw invalidArgument(`strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`)
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw invalidArgument(`strconv.Atoi: parsing ${JSON.stringify(value)}: value out of range`)
    return number
  }

  /** Terminal sizes: must be there and fit 32 bits. `label` begins the message: `invalid resize height "x": invalid syntax`. */
  uint32(name: string, label: string): number {
    const value = this.text(name)
    const refuse = (reason: string): never => {
      throw invalidArgument(`${label} ${JSON.stringify(value)}: ${reason}`)
    }
    if (!/^-?\d+$/.test(value)) return refuse('invalid syntax')
    const number = Number(value)
    return value.startsWith('-') || number > UINT32_MAX ? refuse('value out of range') : number
  }
}
