import { EngineError } from '#errors'
import type { Reference } from '#oci'
import type { RegistrySession } from '../session/registry-session.ts'
import { anySignal, checkCancelled } from '../transport/cancel.ts'
import type { HttpTransport } from '../transport/http-transport.ts'
import { NetworkError } from '../transport/network-error.ts'
import type { HostCapability, TransferLimits } from '../types.ts'

type NonEmpty<T> = readonly [T, ...T[]]

/** What the operations on one repository share. */
export interface RepositoryContext {
  readonly name: Reference
  readonly transport: HttpTransport
  readonly limits: TransferLimits
  /** Tries for each blob without progress. */
  readonly attempts: () => number
  /** Of the whole handle. */
  readonly signal: AbortSignal | undefined
  /** Sessions with the hosts that can do `capability`, in their order. Throws UNAVAILABLE when there are none. */
  sessions(capability: HostCapability): Promise<NonEmpty<RegistrySession>>
  /**
   * The host did not answer: while there are others it is not asked again, or each blob would wait for the connection's time limit anew.
   */
  markBroken(session: RegistrySession): void
}

export function createRepositoryContext(
  deps: Pick<RepositoryContext, 'name' | 'transport' | 'limits' | 'attempts' | 'signal'> & {
    connect: () => Promise<readonly RegistrySession[]>
  },
): RepositoryContext {
  const { connect, ...shared } = deps
  const broken = new Set<RegistrySession>()
  let connected: Promise<readonly RegistrySession[]> | undefined

  return {
    ...shared,
    async sessions(capability) {
      connected ??= connect()
      const able = (await connected).filter(({ host }) => host.capabilities.has(capability))
      const healthy = able.filter((session) => !broken.has(session))
      const [first, ...others] = healthy.length > 0 ? healthy : able.slice(-1)
      if (first === undefined) throw new EngineError('UNAVAILABLE', `no endpoints found for ${shared.name.domain} (${capability})`)
      return [first, ...others]
    },
    markBroken: (session) => void broken.add(session),
  }
}

/** Tries in all of a small request whose connection breaks; a registry's refusal is shown at once, as Docker does. */
const SMALL_REQUEST_ATTEMPTS = 3

/**
 * Runs a small operation on the first host that can do it; mirrors that fail, in whatever way, fall through to the next, and the last one's
 * error counts. Throws NetworkError, RegistryError, EngineError.
 */
export async function onHosts<T>(
  context: RepositoryContext,
  capability: HostCapability,
  signal: AbortSignal | undefined,
  work: (session: RegistrySession, signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const combined = anySignal(context.signal, signal)
  const sessions = await context.sessions(capability)
  for (const session of sessions.slice(0, -1)) {
    try {
      return await repeated(() => work(session, combined), combined)
    } catch (error) {
      checkCancelled(combined)
      if (error instanceof NetworkError) context.markBroken(session)
    }
  }
  const last = sessions.at(-1) ?? sessions[0]
  return await repeated(() => work(last, combined), combined)
}

async function repeated<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      checkCancelled(signal)
      const broken = error instanceof NetworkError && error.transient && !error.reason.startsWith('dial ')
      if (!broken || attempt >= SMALL_REQUEST_ATTEMPTS) throw error
    }
  }
}

/** Scope of a token. Source: distribution docs/spec/auth/scope.md. */
export function repositoryScope(path: string, actions: 'pull' | 'pull,push'): string {
  return `repository:${path}:${actions}`
}
