import { conflict, invalidArgument } from '#errors'
import { shortId } from '#lib'
import { randomName } from './random-name.ts'

const ALLOWED = '[a-zA-Z0-9][a-zA-Z0-9_.-]'
const PATTERN = new RegExp(`^/?${ALLOWED}+$`)

/** Who owns which container name. A name is reserved before a container of that name is made and freed after it is gone. */
export class NameRegistry {
  readonly #owners = new Map<string, string>()

  /** Container id, also of one that is being created. */
  ownerOf(name: string): string | undefined {
    return this.#owners.get(name)
  }

  /**
   * Claims the name a user chose; returns it without its slash. Throws INVALID_ARGUMENT for a bad name, CONFLICT for a taken one.
   */
  claim(name: string, id: string): string {
    if (!PATTERN.test(name)) throw invalidArgument(`Invalid container name (${name}), only ${ALLOWED} are allowed`)
    const plain = name.startsWith('/') ? name.slice(1) : name
    const owner = this.#owners.get(plain)
    if (owner !== undefined) {
      throw conflict(
        `Conflict. The container name "/${plain}" is already in use by container "${owner}". ` +
          'You have to remove (or rename) that container to be able to reuse that name.',
      )
    }
    this.#owners.set(plain, id)
    return plain
  }

  /** A made-up name nobody has; after six collisions the short id, as Docker does. */
  invent(id: string): string {
    for (let attempt = 0; attempt < 6; attempt++) {
      const name = randomName(attempt)
      if (this.#owners.has(name)) continue
      this.#owners.set(name, id)
      return name
    }
    const name = shortId(id)
    this.#owners.set(name, id)
    return name
  }

  /** For rows found at start, whose names were checked when they were made. */
  reserve(name: string, id: string): void {
    this.#owners.set(name, id)
  }

  /** Frees the name if `id` has it: a late clean-up must not take the name from its next owner. */
  release(name: string, id: string): void {
    if (this.#owners.get(name) === id) this.#owners.delete(name)
  }
}
