import type { Duplex } from 'node:stream'
import type { BuildSession } from '#build'
import { conflict, notFound } from '#errors'
import { Rendezvous } from '#lib'
import { openClientSession, type ClientSession, type SessionHello } from './session/client-session.ts'

/** Milliseconds. Source: moby/buildkit session/manager.go. */
const PATIENCE = 5000

/** Clients that are there, by the ids they chose. The connection of a session and the request that names it come side by side. */
export class Sessions {
  readonly #open = new Rendezvous<ClientSession>((id) => notFound(`no active session for ${id}: context deadline exceeded`), PATIENCE)

  /** A session on the socket that `accept` gives, until it closes. Throws CONFLICT, before `accept`, for an id in use. */
  open(accept: () => Duplex, hello: SessionHello): ClientSession {
    if (this.#open.has(hello.id)) throw conflict(`session ${hello.id} already exists`)
    const session = openClientSession(accept(), hello)
    session.closed.addEventListener('abort', () => this.#open.delete(hello.id), { once: true })
    this.#open.set(hello.id, session)
    return session
  }

  /** Throws NOT_FOUND. */
  get(id: string): BuildSession {
    return this.#open.get(id)
  }

  /** Throws NOT_FOUND when it does not come soon. */
  wait(id: string, signal: AbortSignal): Promise<BuildSession> {
    return this.#open.wait(id, signal)
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
