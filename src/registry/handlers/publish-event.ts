import type { Exchange } from '../http/exchange.ts'
import type { RegistryAction, RegistryEvent } from '../types.ts'
import type { HandlerDeps } from './types.ts'

/** Tells what a request has done. */
export function publishEvent(
  { events, now }: Pick<HandlerDeps, 'events' | 'now'>,
  exchange: Exchange,
  action: RegistryAction,
  repository: string,
  target: RegistryEvent['target'],
): void {
  const { actor, info } = exchange
  events?.publish({ action, time: now(), repository, target, ...(actor === undefined ? {} : { actor }), request: info })
}
