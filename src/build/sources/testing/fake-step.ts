import type { Lease } from '#content'
import type { Digest } from '#oci'
import { vertex } from '../../graph/digest.ts'
import type { BuildSession } from '../../session.ts'
import type { Step } from '../../types.ts'

/** A session of a client that offers nothing but what the test adds. */
export function fakeSession(members: Partial<BuildSession> = {}): BuildSession {
  const absent = (): never => {
    throw new Error('the client does not offer this')
  }
  return {
    id: 'session',
    sharedKey: '',
    closed: new AbortController().signal,
    directory: async () => absent(),
    secret: async () => undefined,
    checkAgent: async () => absent(),
    forwardAgent: async () => absent(),
    credentials: async () => undefined,
    upload: async () => absent(),
    sendFile: async () => absent(),
    sendDirectory: async () => absent(),
    store: () => absent(),
    ...members,
  }
}

export interface FakeStep extends Step {
  /** `<id> <current>/<total>[ done]`. */
  readonly statuses: string[]
  readonly held: Digest[]
  /** What was logged, both streams. */
  readonly output: () => string
}

/** A step of a source that remembers what it was told. */
export function fakeStep(session: BuildSession = fakeSession(), members: Partial<Step> = {}): FakeStep {
  const statuses: string[] = []
  const held: Digest[] = []
  const logged: Uint8Array[] = []
  const lease: Lease = { hold: (digest) => void held.push(digest), durable: async () => {}, [Symbol.dispose]: () => {} }
  return {
    vertex: vertex({ kind: 'merge' }, [], { name: 'a step' }),
    session,
    sessionOf: () => session,
    signal: new AbortController().signal,
    entitlements: new Set(),
    log: (_stream, data) => void logged.push(data),
    status: (id, { current, total, done }) => void statuses.push(`${id} ${current}/${total ?? '?'}${done === true ? ' done' : ''}`),
    lease,
    statuses,
    held,
    output: () => Buffer.concat(logged).toString(),
    ...members,
  }
}
