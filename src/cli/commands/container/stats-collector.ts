import type { ContainerStats, EventMessage } from '#api'
import { containerStats, listContainers, readJsonStream, systemEvents, type BodyStream, type EngineClient } from '#client'

/** A container without news for this long is shown with dashes. */
const STALE = 2000

interface Watched {
  /** As the user or the list named it. */
  name: string
  sample: ContainerStats | undefined
  error: Error | undefined
  body: BodyStream | undefined
  staleTimer: NodeJS.Timeout | undefined
  /** Settles with the first sample, error, or after {@link STALE}. */
  first: PromiseWithResolvers<void>
}

/** Keeps the newest sample of a changing set of containers. `close()` ends all requests. */
export class StatsCollector {
  readonly #engine: EngineClient
  readonly #stream: boolean
  readonly #watched = new Map<string, Watched>()
  #events: BodyStream | undefined

  constructor(engine: EngineClient, options: { stream: boolean }) {
    this.#engine = engine
    this.#stream = options.stream
  }

  /** Name and newest sample of each container, in the order they came. */
  get rows(): { name: string; sample: ContainerStats | undefined }[] {
    return [...this.#watched.values()].map(({ name, sample }) => ({ name, sample }))
  }

  /** Errors of the containers, by line. */
  get errors(): Error[] {
    return [...this.#watched.values()].flatMap(({ error }) => (error === undefined ? [] : [error]))
  }

  /** Resolves when every container has had its chance to answer. */
  async ready(): Promise<void> {
    await Promise.all([...this.#watched.values()].map(({ first }) => first.promise))
  }

  watch(name: string): void {
    if (this.#watched.has(name)) return
    const watched: Watched = {
      name,
      sample: undefined,
      error: undefined,
      body: undefined,
      staleTimer: undefined,
      first: Promise.withResolvers(),
    }
    this.#watched.set(name, watched)
    void this.#collect(watched).catch((error: unknown) => {
      watched.error = error as Error
      watched.sample = undefined
      watched.first.resolve()
    })
  }

  forget(name: string): void {
    const watched = this.#watched.get(name)
    clearTimeout(watched?.staleTimer)
    watched?.body?.abort()
    this.#watched.delete(name)
  }

  /** Watches all containers (running ones, or all), and those that come and go. Resolves when the first list is being watched. */
  async follow(all: boolean): Promise<void> {
    // Events first: a container started between list and events would be missed.
    const events = await systemEvents(this.#engine, { filters: { type: ['container'] } })
    this.#events = events.body
    void readJsonStream(events.body, (value) => this.#onEvent(value as EventMessage, all)).catch(() => {})
    for (const { Id } of await listContainers(this.#engine, { all })) this.watch(Id)
  }

  close(): void {
    this.#events?.abort()
    for (const name of this.#watched.keys()) this.forget(name)
  }

  #onEvent({ Action, Actor }: EventMessage, all: boolean): void {
    if (Action === 'start' || (all && Action === 'create')) this.watch(Actor.ID)
    else if ((Action === 'die' && !all) || Action === 'destroy') this.forget(Actor.ID)
  }

  async #collect(watched: Watched): Promise<void> {
    this.#armStaleTimer(watched)
    const response = await containerStats(this.#engine, watched.name, { stream: this.#stream })
    watched.body = response.body
    await readJsonStream(response.body, (value) => {
      watched.sample = value as ContainerStats
      watched.first.resolve()
      this.#armStaleTimer(watched)
    })
    clearTimeout(watched.staleTimer)
    watched.first.resolve()
  }

  #armStaleTimer(watched: Watched): void {
    clearTimeout(watched.staleTimer)
    watched.staleTimer = setTimeout(() => {
      watched.sample = undefined
      watched.first.resolve()
    }, STALE).unref()
  }
}
