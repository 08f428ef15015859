import { StringDecoder } from 'node:string_decoder'
import type { ProgressMessage } from '#images'
import { digestOf, hexOf } from '#oci'
import type { Digest } from '#oci'
import type { BuildEvent, LogEvent, StatusEvent, VertexEvent } from '../progress.ts'
import type { BuildStep } from '../types.ts'

/** What dockerd puts around what a step writes to its standard error. */
const RED = '\u001B[91m'
const PLAIN = '\u001B[0m'

/** How much output of steps that run ahead of the one shown is kept, bytes; of more the beginning is lost. */
const MAX_WAITING = 4 * 1024 * 1024

/** What is known of a vertex that a step stands for. */
interface Work {
  started: boolean
  cached: boolean
  completed: boolean
  failed: boolean
  waiting: LogEvent[]
  waitingBytes: number
}

/**
 * Shows a build as the classic builder did: one step after the other, in the order of the Dockerfile, though several may run at the same time. What a
 * step says before its turn waits. Source: moby daemon/builder/dockerfile (`Step 1/3 : FROM …`, ` ---> Using cache`).
 *
 * Events of vertices that no step stands for (loading the context) are not shown, as the classic builder had none.
 */
export class ClassicDisplay {
  readonly #steps: readonly BuildStep[]
  readonly #isKnown: (index: number) => boolean
  readonly #send: (message: ProgressMessage) => void
  /** The number of each step; a trigger has that of its FROM. */
  readonly #numbers: readonly number[]
  readonly #work = new Map<Digest, Work>()
  readonly #decoders = new Map<string, StringDecoder>()
  #current = 0
  /** Whether the head of the current step has been shown. */
  #opened = false
  #id: Digest = digestOf(Buffer.from(''))
  /** Whether all steps so far have come from the cache. */
  #unchanged = true

  /** `isKnown`: whether a build has come before to an instruction that only changes the config, with all that stands in front of it; asked once for each. */
  constructor(steps: readonly BuildStep[], isKnown: (index: number) => boolean, send: (message: ProgressMessage) => void) {
    this.#steps = steps
    this.#isKnown = isKnown
    this.#send = send
    let counted = 0
    this.#numbers = steps.map((step) => (isTrigger(step) ? counted : ++counted))
    for (const { vertex } of steps) {
      if (vertex !== undefined)
        this.#work.set(vertex, { started: false, cached: false, completed: false, failed: false, waiting: [], waitingBytes: 0 })
    }
    this.#advance()
  }

  handle(event: BuildEvent): void {
    if (event.kind === 'vertex') this.#vertex(event)
    else if (event.kind === 'log') this.#log(event)
    else if (event.kind === 'status') this.#status(event)
  }

  /**
   * Tells in which step the build has failed, where that had not begun yet, as a file is missing; steps in front of it may have been given up. False: `vertex`
   * belongs to no step.
   */
  fail(vertex: Digest | undefined): boolean {
    const index = vertex === undefined ? -1 : this.#steps.findIndex((step) => step.vertex === vertex)
    const step = this.#steps[index]
    if (step !== undefined && (index > this.#current || (index === this.#current && !this.#opened))) this.#head(step, index)
    return step !== undefined
  }

  #vertex(event: VertexEvent): void {
    const work = this.#work.get(event.id)
    if (work === undefined) return
    work.started ||= event.started !== undefined
    work.cached ||= event.cached
    work.completed ||= event.completed !== undefined
    work.failed ||= event.error !== undefined && event.error !== ''
    this.#advance()
  }

  #log(event: LogEvent): void {
    const work = this.#work.get(event.vertex)
    if (work === undefined) return
    if (this.#opened && this.#steps[this.#current]?.vertex === event.vertex) return this.#write(event)
    work.waiting.push(event)
    work.waitingBytes += event.data.length
    while (work.waitingBytes > MAX_WAITING) work.waitingBytes -= work.waiting.shift()?.data.length ?? 0
  }

  /** Layers of a base image as they come. */
  #status({ vertex, id, current, total, completed }: StatusEvent): void {
    if (!this.#opened || this.#steps[this.#current]?.vertex !== vertex || !id.startsWith('sha256:')) return
    const layer = id.slice('sha256:'.length, 'sha256:'.length + 12)
    if (completed === undefined) this.#send({ id: layer, status: 'Downloading', progress: { current, total } })
    else this.#send({ id: layer, status: 'Pull complete' })
  }

  /** Shows as many steps as have come to an end, and opens the next one that has begun. */
  #advance(): void {
    for (let step = this.#steps[this.#current]; step !== undefined; step = this.#steps[this.#current]) {
      const work = step.vertex === undefined ? undefined : this.#work.get(step.vertex)
      if (work !== undefined && !work.started && !work.cached && !work.completed) return
      if (!this.#opened) this.#open(step, work)
      for (const event of work?.waiting.splice(0) ?? []) this.#write(event)
      if (work !== undefined && !work.completed) return
      // A step that failed gets no image.
      if (work?.failed === true) return
      this.#close(step)
    }
  }

  #open(step: BuildStep, work: Work | undefined): void {
    this.#opened = true
    this.#head(step, this.#current)
    this.#id = step.vertex ?? digestOf(Buffer.from(`${this.#id} ${step.text}`))
    if (step.role === 'global' || isStage(step)) return
    const known = work === undefined ? this.#isKnown(this.#current) : work.cached
    this.#unchanged &&= known
    if (work?.cached === true || this.#unchanged) this.#stream(' ---> Using cache\n')
    else if (isRun(step)) this.#stream(` ---> Running in ${shortId(this.#id)}\n`)
  }

  #head(step: BuildStep, index: number): void {
    if (isTrigger(step)) return
    this.#stream(`Step ${this.#numbers[index]}/${this.#numbers.at(-1)} : ${step.text}`)
    this.#stream('\n')
  }

  #close(step: BuildStep): void {
    if (step.vertex !== undefined) for (const stream of [1, 2]) this.#flush(`${step.vertex}/${stream}`, stream)
    const work = step.vertex === undefined ? undefined : this.#work.get(step.vertex)
    if (isRun(step) && work?.cached === false) this.#stream(` ---> Removed intermediate container ${shortId(this.#id)}\n`)
    this.#opened = false
    this.#current++
    const triggers = this.#triggersAhead()
    // A FROM is done, and has its image, when the triggers of its base are.
    if (triggers > 0 && !isTrigger(step)) this.#stream(`# Executing ${triggers} build trigger${triggers === 1 ? '' : 's'}\n`)
    else if (triggers === 0 && step.role !== 'global') this.#stream(` ---> ${step.role === 'scratch' ? '' : shortId(this.#id)}\n`)
  }

  #triggersAhead(): number {
    let at = this.#current
    for (let step = this.#steps[at]; step !== undefined && isTrigger(step); step = this.#steps[at]) at++
    return at - this.#current
  }

  #write({ vertex, stream, data }: LogEvent): void {
    const key = `${vertex}/${stream}`
    const decoder = this.#decoders.get(key) ?? new StringDecoder('utf8')
    this.#decoders.set(key, decoder)
    this.#output(stream, decoder.write(Buffer.from(data)))
  }

  #flush(key: string, stream: number): void {
    this.#output(stream, this.#decoders.get(key)?.end() ?? '')
    this.#decoders.delete(key)
  }

  #output(stream: number, text: string): void {
    if (text !== '') this.#stream(stream === 2 ? `${RED}${text}${PLAIN}` : text)
  }

  #stream(text: string): void {
    this.#send({ stream: text })
  }
}

function isTrigger({ role }: BuildStep): boolean {
  return role === 'trigger'
}

function isStage({ text }: BuildStep): boolean {
  return /^from\b/i.test(text)
}

function isRun({ text }: BuildStep): boolean {
  return /^run\b/i.test(text)
}

function shortId(id: Digest): string {
  return hexOf(id).slice(0, 12)
}
