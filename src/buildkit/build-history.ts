import type { BuildEvent, BuildService } from '#build'
import { control, toStatus, type MessageInitShape } from '#grpc'
import { describeBuildError } from './build-errors.ts'
import { Outbox } from './session/outbox.ts'
import { timestamp } from './status-response.ts'

type RecordInit = Exclude<MessageInitShape<typeof control.BuildHistoryRecordSchema>, control.BuildHistoryRecord>
type EventInit = MessageInitShape<typeof control.BuildHistoryEventSchema>
const { BuildHistoryEventType: Type } = control

/** Builds that are remembered; a restart forgets them all. */
const MAX_RECORDS = 100
/** Milliseconds; what has ended is read at once. */
const COUNTING_TIME = 200

/** What was built since the engine started: `buildx history`, and what buildx looks up after each build. */
export class BuildHistory {
  readonly #records = new Map<string, RecordInit>()
  readonly #listeners = new Set<(event: EventInit) => void>()
  readonly #builds: Pick<BuildService, 'events'>
  #generation = 0

  constructor(builds: Pick<BuildService, 'events'>) {
    this.#builds = builds
  }

  /** Runs a build and remembers it, unless it is none of the user's. */
  async record<T extends MessageInitShape<typeof control.SolveResponseSchema>>(
    request: control.SolveRequest,
    run: () => Promise<T>,
  ): Promise<T> {
    if (request.internal) return await run()
    const record: RecordInit = {
      ref: request.ref,
      frontend: request.frontend,
      frontendAttrs: request.frontendAttrs,
      exporters: request.exporters,
      createdAt: timestamp(Date.now()),
    }
    this.#tell(Type.STARTED, record)
    try {
      const response = await run()
      await this.#complete({ ...record, exporterResponse: response.exporterResponse ?? {} })
      return response
    } catch (error) {
      await this.#complete({ ...record, error: toStatus(describeBuildError(error)) })
      throw error
    }
  }

  /** What is known, and, unless `earlyExit`, what comes. */
  async *listen({ ref, activeOnly, earlyExit, limit }: control.BuildHistoryRequest, signal: AbortSignal): AsyncGenerator<EventInit> {
    const isWanted = ({ record }: EventInit): boolean =>
      (ref === '' || record?.ref === ref) && (!activeOnly || record?.completedAt === undefined)
    const known = [...this.#records.values()].map((record): EventInit => ({ type: typeOf(record), record })).filter(isWanted)
    yield* limit > 0 ? known.slice(-limit) : known
    if (earlyExit) return
    const coming = new Outbox<EventInit>()
    const listener = (event: EventInit): void => void coming.push(event)
    const stop = (): void => coming.end()
    this.#listeners.add(listener)
    signal.addEventListener('abort', stop, { once: true })
    try {
      for await (const event of coming) if (isWanted(event)) yield event
    } finally {
      this.#listeners.delete(listener)
      signal.removeEventListener('abort', stop)
    }
  }

  update({ ref, delete: remove, pinned }: control.UpdateBuildHistoryRequest): void {
    const record = this.#records.get(ref)
    if (record === undefined) return
    if (remove) {
      this.#records.delete(ref)
      this.#publish({ type: Type.DELETED, record })
    } else this.#records.set(ref, { ...record, pinned })
  }

  async #complete(record: RecordInit): Promise<void> {
    const completedAt = timestamp(Date.now())
    const counts = await countSteps(this.#builds, record.ref ?? '')
    this.#tell(Type.COMPLETE, { ...record, ...counts, completedAt })
  }

  #tell(type: control.BuildHistoryEventType, record: RecordInit): void {
    const ref = record.ref ?? ''
    const numbered = { ...record, generation: ++this.#generation }
    this.#records.delete(ref)
    this.#records.set(ref, numbered)
    const oldest = [...this.#records.values()].find(({ pinned }) => pinned !== true)
    if (this.#records.size > MAX_RECORDS && oldest?.ref !== undefined) this.#records.delete(oldest.ref)
    this.#publish({ type, record: numbered })
  }

  #publish(event: EventInit): void {
    for (const listener of this.#listeners) listener(event)
  }
}

function typeOf({ completedAt }: RecordInit): control.BuildHistoryEventType {
  return completedAt === undefined ? Type.STARTED : Type.COMPLETE
}

type Counts = Partial<Record<'numTotalSteps' | 'numCompletedSteps' | 'numCachedSteps', number>>

/** Of a build that has ended; of one that never began there are none. */
async function countSteps(builds: Pick<BuildService, 'events'>, ref: string): Promise<Counts> {
  const steps = new Map<string, Extract<BuildEvent, { kind: 'vertex' }>>()
  try {
    for await (const events of builds.events(ref, AbortSignal.timeout(COUNTING_TIME))) {
      for (const event of events) if (event.kind === 'vertex') steps.set(event.id, event)
    }
  } catch {
    return {}
  }
  const all = [...steps.values()]
  return {
    numTotalSteps: all.length,
    numCompletedSteps: all.filter(({ completed }) => completed !== undefined).length,
    numCachedSteps: all.filter(({ cached }) => cached).length,
  }
}
