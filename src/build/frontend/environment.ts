import type { Variables } from '#dockerfile'
import { invalidArgument } from '#errors'

/** Every RUN step has them all: many steps with many variables would fill the memory. Programs cannot be started with much more either. */
const MAX_VARIABLES = 2048

/** Variables of a stage in the order in which they were set first. Values are replaced in place, as in an image's `Env`. */
export class Environment implements Variables {
  /** Name → `NAME=value`, which is shared by the lists of all steps. */
  readonly #entries = new Map<string, string>()
  #size = 0
  /** Of all entries; undefined: something has changed since. */
  #list: readonly string[] | undefined

  /** Of `NAME=value` texts; one without `=` is empty. Throws INVALID_ARGUMENT when there are too many. */
  static parse(entries: readonly string[]): Environment {
    const environment = new Environment()
    for (const entry of entries) {
      const equals = entry.indexOf('=')
      environment.set(equals < 0 ? entry : entry.slice(0, equals), equals < 0 ? '' : entry.slice(equals + 1))
    }
    return environment
  }

  get(name: string): string | undefined {
    return this.#entries.get(name)?.slice(name.length + 1)
  }

  /** Throws INVALID_ARGUMENT when there are too many. */
  set(name: string, value: string): void {
    this.#size += name.length + 1 + value.length - (this.#entries.get(name)?.length ?? 0)
    this.#entries.set(name, `${name}=${value}`)
    this.#list = undefined
    if (this.#entries.size > MAX_VARIABLES) throw invalidArgument(`more than ${MAX_VARIABLES} variables`)
  }

  /** Takes over the variables of another one; its values win. */
  add(other: Environment): void {
    for (const name of other.names()) this.set(name, other.get(name) ?? '')
  }

  /** Characters of all entries. */
  size(): number {
    return this.#size
  }

  names(): string[] {
    return [...this.#entries.keys()]
  }

  /** `NAME=value`. The same list until a variable changes. */
  entries(): readonly string[] {
    return (this.#list ??= [...this.#entries.values()])
  }

  copy(): Environment {
    const copy = new Environment()
    for (const [name, entry] of this.#entries) copy.#entries.set(name, entry)
    copy.#size = this.#size
    return copy
  }
}
