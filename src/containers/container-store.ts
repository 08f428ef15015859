import { invalidArgument, notFound } from '#errors'
import type { Metadata, Repository } from '#metadata'
import { ContainerEntry } from './entry.ts'
import { NameRegistry } from './name-registry.ts'
import type { Container } from './types.ts'

/**
 * What SQLite holds per container. `creating` is the intent written before anything is made: found at start, it says that a creation was cut
 * off and what to clear away.
 */
export interface ContainerRow {
  phase: 'creating' | 'present'
  container: Container
}

/**
 * Containers that are to be kept, also with nothing restored yet: what may not be taken for an orphan. Among them such whose record cannot be read: their
 * files are all that is left of them.
 */
export function recordedContainerIds(metadata: Pick<Metadata, 'repository' | 'damaged'>): Set<string> {
  const rows = metadata.repository<ContainerRow>('containers').all()
  const unreadable = metadata.damaged().filter(({ collection }) => collection === 'containers')
  return new Set([...rows.filter(({ value }) => value.phase === 'present'), ...unreadable].map(({ key }) => key))
}

/** All containers of the daemon: entries in memory, rows in metadata, names. Every durable change of a record goes through here. */
export class ContainerStore {
  readonly names: NameRegistry = new NameRegistry()
  readonly #rows: Repository<ContainerRow>
  readonly #entries = new Map<string, ContainerEntry>()

  constructor(metadata: Metadata) {
    this.#rows = metadata.repository<ContainerRow>('containers')
  }

  /** Rows as the last daemon left them; oldest first. */
  rows(): ContainerRow[] {
    return this.#rows.all().map(({ value }) => value)
  }

  /** Writes the intent of a creation. The entry is invisible until {@link ContainerStore.publish}. */
  insert(record: Container): ContainerEntry {
    const entry = new ContainerEntry(record)
    entry.creating = true
    this.#rows.put(record.id, { phase: 'creating', container: record })
    this.#entries.set(record.id, entry)
    return entry
  }

  /** The creation is complete: the container exists for everybody. */
  publish(entry: ContainerEntry, record: Container): void {
    this.#rows.put(entry.id, { phase: 'present', container: record })
    entry.record = record
    entry.creating = false
  }

  /** Takes over a row found at start. */
  adopt(record: Container): ContainerEntry {
    const entry = new ContainerEntry(record)
    this.#entries.set(record.id, entry)
    this.names.reserve(record.name, record.id)
    return entry
  }

  /**
   * Durable change: the row first, so that memory never claims what a crash would take back. Throws NOT_FOUND for a container that was removed while the
   * caller waited: its row must not come back.
   */
  save(entry: ContainerEntry, change: Partial<Container>): void {
    if (entry.removed) throw notFound(`No such container: ${entry.id}`)
    const record = { ...entry.record, ...change }
    this.#rows.put(record.id, { phase: 'present', container: record })
    entry.record = record
  }

  /** Change that may be lost with the daemon (health log, exec ids); it is written with the next {@link ContainerStore.save}. */
  touch(entry: ContainerEntry, change: Partial<Container>): void {
    entry.record = { ...entry.record, ...change }
  }

  /** Forgets the container and frees its name. */
  delete(entry: ContainerEntry): void {
    this.#rows.delete(entry.id)
    this.#entries.delete(entry.id)
    this.names.release(entry.record.name, entry.id)
    entry.removed = true
  }

  /** Deletes the row of a creation that was cut off. */
  deleteRow(id: string): void {
    this.#rows.delete(id)
  }

  byId(id: string): ContainerEntry | undefined {
    const entry = this.#entries.get(id)
    return entry === undefined || entry.creating ? undefined : entry
  }

  /** Oldest first. */
  all(): ContainerEntry[] {
    return this.allAndComing().filter((entry) => !entry.creating)
  }

  /** Those that are being made, too: they hold already what they are made of. */
  allAndComing(): ContainerEntry[] {
    return [...this.#entries.values()]
  }

  /** By full id, name (with or without slash) or link (`web/db`), then unique id prefix. */
  find(ref: string): ContainerEntry {
    if (ref === '') throw invalidArgument('No container name or ID supplied')
    const exact = this.byId(ref) ?? this.#byName(ref.startsWith('/') ? ref.slice(1) : ref)
    if (exact !== undefined) return exact
    const matches = this.all().filter((entry) => entry.id.startsWith(ref))
    if (matches.length > 1) throw invalidArgument(`multiple IDs found with provided prefix: ${ref}`)
    const [match] = matches
    if (match === undefined) throw notFound(`No such container: ${ref}`)
    return match
  }

  #byName(name: string): ContainerEntry | undefined {
    const slash = name.lastIndexOf('/')
    if (slash < 0) return this.byId(this.names.ownerOf(name) ?? '')
    const link = this.#byName(name.slice(0, slash))?.record.links?.find(({ alias }) => alias === name.slice(slash + 1))
    return this.byId(link?.containerId ?? '')
  }
}
