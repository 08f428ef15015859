import type { Duplex } from 'node:stream'
import type { BuildSession } from '#build'
import { conflict, notFound } from '#errors'
import { openClientSession, type ClientSession, type SessionHello } from './session/client-session.ts'

/** Milliseconds. Source: moby/buildkit session/manager.go. */
const PATIENCE = 5000

/** Clients that are there, by the ids they chose. */
export class Sessions {
  readonly #open = new Map<string, ClientSession>()
  readonly #awaited = new Map<string, Set<(session: ClientSession) => void>>()

  /** A session on `socket`, until it closes. Throws CONFLICT for an id in use. */
  open(socket: Duplex, hello: SessionHello): ClientSession {
    if (this.#open.has(hello.id)) throw conflict(`session ${hello.id} already exists`)
    const session = openClientSession(socket, hello)
    this.#open.set(hello.id, session)
    session.closed.addEventListener('abort', () => this.#open.delete(hello.id), { once: true })
    for (const take of this.#awaited.get(hello.id) ?? []) take(session)
    return session
  }

  /** Throws NOT_FOUND. */
  get(id: string): BuildSession {
    const session = this.#open.get(id)
    if (session === undefined) throw notFound(`no active session for ${id}`)
    return session
  }

  /** Waits a moment: the connection of a session and the request that names it come side by side. Throws NOT_FOUND. */
  async wait(id: string, signal: AbortSignal): Promise<BuildSession> {
    const present = this.#open.get(id)
    if (present !== undefined) return present
    const { promise, resolve, reject } = Promise.withResolvers<ClientSession>()
    const waiting = this.#awaited.get(id) ?? new Set()
    this.#awaited.set(id, waiting.add(resolve))
    const timer = setTimeout(() => reject(notFound(`no active session for ${id}: context deadline exceeded`)), PATIENCE)
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      signal.throwIfAborted()
      return await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      waiting.delete(resolve)
      if (waiting.size === 0) this.#awaited.delete(id)
    }
  }

  /** Cuts all connections. */
  close(): void {
    for (const session of this.#open.values()) session.close()
  }
}

/** For requests that name no session: there is nobody to ask. */
export function noSession(): BuildSession {
  const refuse = (what: string): Promise<never> => Promise.reject(notFound(`${what}: the build has no session`))
  return {
    id: '',
    sharedKey: '',
    closed: new AbortController().signal,
    directory: ({ name }) => refuse(`no access to directory ${name}`),
    secret: () => Promise.resolve(undefined),
    checkAgent: (id) => refuse(`no SSH key ${JSON.stringify(id)}`),
    forwardAgent: (id) => refuse(`no SSH key ${JSON.stringify(id)}`),
    credentials: () => Promise.resolve(undefined),
    upload: (url) => refuse(`no upload ${url.href}`),
    sendFile: () => refuse('no target for files'),
    sendDirectory: () => refuse('no target for files'),
    store: () => {
      throw notFound('no store of blobs: the build has no session')
    },
  }
}
