import { StringDecoder } from 'node:string_decoder'
import type { BuildUpdate, LogUpdate, StatusUpdate, VertexUpdate, WarningUpdate } from '#client'

/** How many of the last lines of a step are kept to be shown while it runs, and once more when it has failed. */
const KEPT_LINES = 200

/** A line that a step has written. */
export interface LogLine {
  text: string
  /** Milliseconds since the epoch. */
  timestamp: number
}

/** One vertex as it is shown. */
export interface StepView {
  readonly digest: string
  /** Counts from 1 in the order in which steps were first heard of. */
  readonly number: number
  name: string
  cached: boolean
  started: number | undefined
  completed: number | undefined
  error: string
  /** Milliseconds in runs that are over: a vertex may be started again when it has to be looked at more closely. */
  past: number
  readonly statuses: Map<string, StatusUpdate>
  /** The last lines; whole ones. */
  readonly lines: LogLine[]
}

/** What an update has changed. */
export interface ViewChange {
  readonly steps: ReadonlySet<StepView>
  /** Statuses that moved, by step. */
  readonly statuses: readonly { step: StepView; status: StatusUpdate }[]
  readonly lines: readonly { step: StepView; line: LogLine }[]
}

/** The state of a build as far as it has been told; displays draw it. */
export class BuildView {
  readonly #steps = new Map<string, StepView>()
  readonly #decoders = new Map<string, { decoder: StringDecoder; rest: string; timestamp: number }>()
  readonly warnings: WarningUpdate[] = []
  /** Steps by number. */
  readonly steps: StepView[] = []

  apply(update: BuildUpdate): ViewChange {
    const steps = new Set<StepView>()
    const lines: { step: StepView; line: LogLine }[] = []
    for (const vertex of update.vertexes) steps.add(this.#vertex(vertex))
    const statuses = update.statuses.flatMap((status) => {
      const step = this.#steps.get(status.vertex)
      if (step === undefined) return []
      step.statuses.set(status.id, status)
      return [{ step, status }]
    })
    for (const log of update.logs) lines.push(...this.#log(log))
    // What a finished step has written without a line end is a line, too.
    for (const step of steps) if (step.completed !== undefined) lines.push(...this.#flush(step))
    this.warnings.push(...update.warnings)
    return { steps, statuses, lines }
  }

  /** Steps that have come to an end, well or not. */
  get finished(): number {
    return this.steps.filter(({ completed }) => completed !== undefined).length
  }

  #vertex({ digest, name, cached, started, completed, error }: VertexUpdate): StepView {
    let step = this.#steps.get(digest)
    if (step === undefined) {
      const number = this.steps.length + 1
      step = { digest, number, name, cached, started, completed, error, past: 0, statuses: new Map(), lines: [] }
      this.#steps.set(digest, step)
      this.steps.push(step)
      return step
    }
    const isAgain = step.completed !== undefined && started !== undefined && completed === undefined
    if (isAgain && step.started !== undefined) step.past += (step.completed ?? step.started) - step.started
    Object.assign(step, { name, cached: step.cached || cached, error: error === '' ? step.error : error })
    step.started = started ?? step.started
    step.completed = isAgain ? undefined : (completed ?? step.completed)
    return step
  }

  #log({ vertex, stream, data, timestamp }: LogUpdate): { step: StepView; line: LogLine }[] {
    const step = this.#steps.get(vertex)
    if (step === undefined) return []
    const key = `${vertex}/${stream}`
    const open = this.#decoders.get(key) ?? { decoder: new StringDecoder('utf8'), rest: '', timestamp }
    this.#decoders.set(key, open)
    const texts = (open.rest + open.decoder.write(Buffer.from(data))).split('\n')
    open.rest = texts.pop() ?? ''
    open.timestamp = timestamp
    return texts.map((text) => this.#line(step, text, timestamp))
  }

  #flush(step: StepView): { step: StepView; line: LogLine }[] {
    return [1, 2].flatMap((stream) => {
      const key = `${step.digest}/${stream}`
      const open = this.#decoders.get(key)
      this.#decoders.delete(key)
      const text = open === undefined ? '' : open.rest + open.decoder.end()
      return open === undefined || text === '' ? [] : [this.#line(step, text, open.timestamp)]
    })
  }

  #line(step: StepView, text: string, timestamp: number): { step: StepView; line: LogLine } {
    const line = { text: lastVersion(text), timestamp }
    step.lines.push(line)
    if (step.lines.length > KEPT_LINES) step.lines.shift()
    return { step, line }
  }
}

/** Of a line that was written over with carriage returns (progress bars) what is seen at the end. */
function lastVersion(text: string): string {
  const parts = text.replace(/\r+$/, '').split('\r')
  return parts.at(-1) ?? ''
}

/** Milliseconds that a step has taken until `now`. */
export function elapsed({ started, completed, past }: StepView, now: number): number {
  return started === undefined ? 0 : past + (completed ?? now) - started
}

/** Whether it ended because another step failed, or the user wanted so. */
export function isCancelled({ error }: StepView): boolean {
  return error === 'context canceled' || error.endsWith(': context canceled')
}
