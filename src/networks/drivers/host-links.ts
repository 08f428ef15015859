import type { LinkInfo } from '#kernel'

/**
 * Names and indices for host ends of containers' links. The name is `veth` and the index in seven hex digits, so either gives the other. Numbers go up
 * from a random start and are not used again before all others were: the interface of a dead container lingers until the kernel has taken its
 * namespace apart.
 */
export interface HostLinks {
  next(): { index: number; name: string }
}

const FIRST = 0x1000000
const LAST = 0xfffffff

/** `existing` are the host's links now; `start` is for tests. */
export function createHostLinks(
  existing: readonly LinkInfo[],
  start: number = FIRST + Math.floor(Math.random() * (LAST - FIRST)),
): HostLinks {
  const avoid = new Set(existing.map((link) => link.index))
  let index = start
  return {
    next() {
      do index = index >= LAST ? FIRST : index + 1
      while (avoid.has(index))
      return { index, name: `veth${index.toString(16)}` }
    },
  }
}

/** Whether a link was made with a name of ours. */
export function isOurLink({ kind, index, name }: LinkInfo): boolean {
  return kind === 'veth' && name === `veth${index.toString(16)}` && index >= FIRST && index <= LAST
}
