import { nowNano } from '#lib'
import { matchesEvent } from './event-filter.ts'
import { EventSubscription } from './event-subscription.ts'
import type { EngineEvent, EventBus } from './types.ts'

/** Past events kept for `since`; the number is Docker's. */
const HISTORY = 256

/** `now`: nanoseconds since the epoch. */
export function createEventBus(deps: { now?: () => bigint } = {}): EventBus {
  const now = deps.now ?? nowNano
  const history: EngineEvent[] = []
  const subscriptions = new Set<EventSubscription>()

  return {
    publish(type, action, id, attributes) {
      // The attributes are copied: publishers hand in labels of live records.
      const event: EngineEvent = { type, action, actor: { id, attributes: { ...attributes } }, timeNano: now() }
      history.push(event)
      if (history.length > HISTORY) history.shift()
      for (const subscription of subscriptions) subscription.offer(event)
    },

    subscribe({ since, until, filters, signal }) {
      // Without bounds Docker sends live events only; either bound brings the past in.
      const past =
        since === undefined && until === undefined ? [] : history.filter((event) => since === undefined || event.timeNano >= since)
      const subscription = new EventSubscription({
        past,
        until,
        accepts: (event) => matchesEvent(event, filters),
        remaining: until === undefined ? undefined : until - now(),
        signal,
        onClose: () => subscriptions.delete(subscription),
      })
      // Closed already: `until` is over, or the signal had been aborted.
      if (!subscription.closed) subscriptions.add(subscription)
      return subscription
    },

    subscribers: () => subscriptions.size,
  }
}
