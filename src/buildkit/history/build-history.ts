import type { BuildEvent, BuildService } from '#build'
import { EngineError, invalidArgument, notFound } from '#errors'
import { control, create, fromJson, toJson, type JsonValue } from '#grpc'
import { withoutLogin } from '#lib'
import type { Repository } from '#metadata'
import { parseDigest } from '#oci'
import { Outbox } from '../session/outbox.ts'
import { timestamp } from '../status-response.ts'
import type { BuildRecord, RecordInit } from './build-record.ts'
import { completion, type FinishedBuild, type Outcome } from './completion.ts'
import type { HistoryBlobs } from './history-blobs.ts'
import { historyFilter } from './history-filter.ts'
import { decodeLog } from './status-log.ts'

interface HistoryEvent {
  type: control.BuildHistoryEventType
  record: BuildRecord
}
const { BuildHistoryEventType: Type, BuildHistoryRecordSchema: schema } = control

/** Builds that are remembered, besides those that the user has pinned. */
const MAX_RECORDS = 100
/** Milliseconds; what has ended is read at once. */
const READING_TIME = 200

export interface BuildHistoryDeps {
  builds: Pick<BuildService, 'events'>
  /** By the builds' ids: records as JSON. */
  rows: Repository<JsonValue>
  blobs: HistoryBlobs
  /** Hears of what could not be kept; no build fails for that. */
  report: (error: unknown) => void
}

/** What was built through this door: `buildx history`, and what buildx looks up after each build. Builds that go on are not on the disk. */
export class BuildHistory {
  readonly #records = new Map<string, BuildRecord>()
  readonly #listeners = new Set<(event: HistoryEvent) => void>()
  readonly #deps: BuildHistoryDeps
  #generation = 0

  constructor(deps: BuildHistoryDeps) {
    this.#deps = deps
    this.#restore()
  }

  /** Runs a build and remembers it, unless it is one that the client calls internal. */
  async record<T extends FinishedBuild>(request: control.SolveRequest, run: () => Promise<T>): Promise<T> {
    if (request.internal) return await run()
    const { ref, frontend, exporters } = request
    const frontendAttrs = withoutLogins(request.frontendAttrs)
    const record: RecordInit & { ref: string } = { ref, frontend, frontendAttrs, exporters, createdAt: timestamp(Date.now()) }
    this.#tell(Type.STARTED, record)
    try {
      const finished = await run()
      await this.#complete(record, finished)
      return finished
    } catch (error) {
      await this.#complete(record, { error })
      throw error
    }
  }

  /** What is known, and, unless `earlyExit`, what comes. With a limit the newest come first. Throws INVALID_ARGUMENT. */
  async *listen(request: control.BuildHistoryRequest, signal: AbortSignal): AsyncGenerator<HistoryEvent> {
    const { ref, activeOnly, earlyExit, limit, filter } = request
    if (limit < 0) throw invalidArgument(`invalid limit ${limit}`)
    const matches = historyFilter(filter, Date.now())
    const isWanted = ({ record }: HistoryEvent): boolean =>
      (ref === '' || record.ref === ref) && (!activeOnly || record.completedAt === undefined) && matches(record)
    const coming = new Outbox<HistoryEvent>()
    const listener = (event: HistoryEvent): void => void coming.push(event)
    const stop = (): void => coming.end()
    // Before what is known is told: what happens meanwhile is not lost.
    if (!earlyExit) this.#listeners.add(listener)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      const known = [...this.#records.values()].map((record): HistoryEvent => ({ type: typeOf(record), record })).filter(isWanted)
      yield* limit > 0 ? known.slice(-limit).reverse() : known
      if (earlyExit) return
      for await (const event of coming) if (isWanted(event)) yield event
    } finally {
      this.#listeners.delete(listener)
      signal.removeEventListener('abort', stop)
    }
  }

  /** What was said in a build that has ended; undefined: it has not, or nothing is known of it. Throws DATA_LOSS. */
  log(ref: string): Iterable<control.StatusResponse> | undefined {
    const { logs } = this.#records.get(ref) ?? {}
    return logs === undefined ? undefined : decodeLog(this.#deps.blobs.readAll(parseDigest(logs.digest)))
  }

  /** Unknown ones may be deleted. Throws NOT_FOUND. */
  update({ ref, delete: remove, finalize, pinned }: control.UpdateBuildHistoryRequest): void {
    if (remove) return this.#forget(ref)
    // Nothing of a record comes later.
    if (finalize) return
    const record = this.#records.get(ref)
    if (record === undefined) throw notFound(`failed to retrieve ref ${ref}: file does not exist`)
    if (record.pinned === pinned) return
    record.pinned = pinned
    record.generation = ++this.#generation
    this.#save(record)
    this.#publish({ type: typeOf(record), record })
  }

  async #complete(record: RecordInit & { ref: string }, outcome: Outcome): Promise<void> {
    const events = await this.#eventsOf(record.ref)
    try {
      this.#tell(Type.COMPLETE, { ...record, ...completion(events, outcome, this.#deps.blobs) })
    } catch (error) {
      this.#deps.report(error)
      this.#abandon(record.ref)
    }
  }

  /** Of a record that could not be written. The disk may be full, or the database closed already. */
  #abandon(ref: string): void {
    try {
      this.#forget(ref)
    } catch (error) {
      this.#deps.report(error)
    }
    // What was written before it failed is named by nothing.
    this.#deps.blobs.retain(this.#named())
  }

  /** Of a build that has ended. */
  async #eventsOf(ref: string): Promise<BuildEvent[]> {
    const events: BuildEvent[] = []
    try {
      for await (const some of this.#deps.builds.events(ref, AbortSignal.timeout(READING_TIME))) events.push(...some)
    } catch {
      // It is no longer known: the record does without.
    }
    return events
  }

  #tell(type: control.BuildHistoryEventType, facts: RecordInit): void {
    const record = create(schema, { ...facts, generation: ++this.#generation })
    const former = this.#records.get(record.ref)
    this.#records.delete(record.ref)
    this.#records.set(record.ref, record)
    // A client may use a name again.
    if (former?.completedAt !== undefined) {
      this.#deps.rows.delete(record.ref)
      this.#discardBlobs(former)
    }
    this.#save(record)
    this.#shorten()
    this.#publish({ type, record })
  }

  #save(record: BuildRecord): void {
    if (record.completedAt !== undefined) this.#deps.rows.put(record.ref, toJson(schema, record))
  }

  /** The oldest goes. */
  #shorten(): void {
    const ended = [...this.#records.values()].filter(({ completedAt, pinned }) => completedAt !== undefined && !pinned)
    for (const { ref } of ended.slice(0, Math.max(0, ended.length - MAX_RECORDS))) this.#forget(ref)
  }

  #forget(ref: string): void {
    const record = this.#records.get(ref)
    if (record === undefined) return
    this.#records.delete(ref)
    this.#deps.rows.delete(ref)
    this.#discardBlobs(record)
    this.#publish({ type: Type.DELETED, record: create(schema, { ref }) })
  }

  /** Deletes the blobs of a record that is gone, but for those that other records name. */
  #discardBlobs(record: BuildRecord): void {
    const named = this.#named()
    for (const { digest } of attachmentsOf(record)) if (!named.has(digest)) this.#deps.blobs.delete(parseDigest(digest))
  }

  /** A record of which not all has reached the disk is forgotten. */
  #restore(): void {
    const { rows, blobs, report } = this.#deps
    for (const { key, value } of rows.all()) {
      try {
        const record = fromJson(schema, value, { ignoreUnknownFields: true })
        for (const { digest, size } of attachmentsOf(record)) {
          if (BigInt(blobs.size(parseDigest(digest))) !== size)
            throw new EngineError('DATA_LOSS', `the record of the build ${key} is damaged`)
        }
        this.#generation = Math.max(this.#generation, record.generation)
        this.#records.set(key, record)
      } catch (error) {
        report(error)
        rows.delete(key)
      }
    }
    blobs.retain(this.#named())
  }

  /** Blobs of all records. */
  #named(): Set<string> {
    return new Set([...this.#records.values()].flatMap(attachmentsOf).map(({ digest }) => digest))
  }

  #publish(event: HistoryEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

/** Contexts are addresses, which may hold passwords: these are for the build, not for the disk and for lists. */
/** Caches are named with the tokens of their services. */
function withoutLogins(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(attributes).filter(([name]) => name !== 'cache-imports')
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutLogin(value)]))
}

function typeOf({ completedAt }: BuildRecord): control.BuildHistoryEventType {
  return completedAt === undefined ? Type.STARTED : Type.COMPLETE
}

function attachmentsOf({ logs, externalError, result, results }: BuildRecord): control.Descriptor[] {
  const attestations = [result, ...Object.values(results)].flatMap((info) => info?.attestations ?? [])
  return [logs, externalError, ...attestations].filter((blob) => blob !== undefined)
}
