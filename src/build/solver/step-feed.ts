import type { Lease } from '#content'
import type { Vertex } from '../graph/types.ts'
import type { Progress } from '../progress.ts'
import type { BuildSession } from '../session.ts'
import type { Entitlement, Step } from '../types.ts'

/** A build that waits for a step, as the step sees it. */
export interface StepListener {
  /** The step as this build's graph has it: in another one it may have another name. */
  readonly vertex: Vertex
  readonly session: BuildSession
  sessionOf(id: string | undefined): BuildSession
  readonly entitlements: ReadonlySet<Entitlement>
  readonly progress: Progress
}

type StatusState = Parameters<Step['status']>[1]
type Message = (listener: StepListener) => void

/** What a build that joins late still hears of what a step has said: messages, and bytes of output. */
const MAX_PAST = { messages: 2000, bytes: 1 << 20 }

/** One running step and the builds that wait for it: all hear what it says, and it may ask the client of any that is still there. */
export class StepFeed {
  readonly #listeners = new Set<StepListener>()
  readonly #past: { message: Message; bytes: number }[] = []
  readonly #now: () => number
  #bytes = 0
  #first: StepListener | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** Hears everything said so far, and what comes until the answer is disposed. */
  add(listener: StepListener): Disposable {
    this.#first ??= listener
    this.#listeners.add(listener)
    for (const { message } of this.#past) message(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** What a runner of `vertex` is given. */
  step(vertex: Vertex, signal: AbortSignal, lease: Lease): Step {
    const present = (): StepListener => this.#present()
    return {
      vertex,
      get session() {
        return present().session
      },
      sessionOf: (id) => present().sessionOf(id),
      signal,
      get entitlements() {
        return present().entitlements
      },
      log: (stream, data) => this.#log(stream, data),
      status: (id, state) => this.#status(id, state),
      lease,
    }
  }

  /** One whose client is there; else the first one, whose session says that it is closed. */
  #present(): StepListener {
    const listener = [...this.#listeners].find(({ session }) => !session.closed.aborted) ?? this.#first
    if (listener === undefined) throw new Error('A step is asked for that nobody waits for')
    return listener
  }

  #log(stream: 1 | 2, data: Uint8Array): void {
    const timestamp = this.#now()
    this.#tell(data.length, ({ vertex, progress }) => progress.send({ kind: 'log', vertex: vertex.id, stream, data, timestamp }))
  }

  readonly #started = new Map<string, number>()

  #status(id: string, { current, total = 0, done = false }: StatusState): void {
    const timestamp = this.#now()
    const started = this.#started.get(id) ?? timestamp
    this.#started.set(id, started)
    const state = { id, name: id, current, total, timestamp, started, ...(done ? { completed: timestamp } : {}) }
    this.#tell(id.length, ({ vertex, progress }) => progress.send({ kind: 'status', vertex: vertex.id, ...state }))
  }

  #tell(bytes: number, message: Message): void {
    for (const listener of this.#listeners) message(listener)
    this.#past.push({ message, bytes })
    this.#bytes += bytes
    while (this.#past.length > MAX_PAST.messages || this.#bytes > MAX_PAST.bytes) this.#bytes -= this.#past.shift()?.bytes ?? 0
  }
}
