import { codeOf } from '#errors'
import { control, toGrpcError, toStatus, type MessageInitShape } from '#grpc'
import { Outbox } from './session/outbox.ts'
import { timestamp } from './status-response.ts'

type RecordInit = MessageInitShape<typeof control.BuildHistoryRecordSchema>
type EventInit = MessageInitShape<typeof control.BuildHistoryEventSchema>
const { BuildHistoryEventType: Type } = control

/** Builds that are remembered; a restart forgets them all. */
const MAX_RECORDS = 100

/** What was built since the engine started: `buildx history`, and what buildx looks up after each build. */
export class BuildHistory {
  readonly #records = new Map<string, RecordInit>()
  readonly #listeners = new Set<(event: EventInit) => void>()
  #generation = 0

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
      this.#tell(Type.COMPLETE, { ...record, completedAt: timestamp(Date.now()), exporterResponse: response.exporterResponse ?? {} })
      return response
    } catch (error) {
      // Not the whole story: a client that left is no failure of the build.
      const failure = codeOf(error) === 'CANCELLED' ? new Error('build was cancelled') : error
      this.#tell(Type.COMPLETE, { ...record, completedAt: timestamp(Date.now()), error: toStatus(toGrpcError(failure)) })
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
