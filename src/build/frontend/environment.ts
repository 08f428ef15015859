import type { Variables } from '#dockerfile'

/** Variables of a stage in the order in which they were set first. Values are replaced in place, as in an image's `Env`. */
export class Environment implements Variables {
  readonly #values: Map<string, string>

  constructor(values: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(values)
  }

  /** Of `NAME=value` texts; one without `=` is empty. */
  static parse(entries: readonly string[]): Environment {
    return new Environment(entries.map(splitVariable))
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  set(name: string, value: string): void {
    this.#values.set(name, value)
  }

  delete(name: string): void {
    this.#values.delete(name)
  }

  names(): string[] {
    return [...this.#values.keys()]
  }

  pairs(): [name: string, value: string][] {
    return [...this.#values]
  }

  /** `NAME=value`. */
  entries(): string[] {
    return [...this.#values].map(([name, value]) => `${name}=${value}`)
  }

  copy(): Environment {
    return new Environment(this.#values)
  }
}

export function splitVariable(entry: string): [name: string, value: string] {
  const equals = entry.indexOf('=')
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
}
