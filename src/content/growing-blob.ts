import { closeSync, openSync } from 'node:fs'
import type { GrowingBlob } from './types.ts'

export type GrowthState = 'growing' | 'whole' | 'failed'

/** How far a blob has come: the bytes that may be read, and whether there will be more. */
export interface Growth {
  bytes: number
  state: GrowthState
}

/** The writer's side of a {@link GrowingBlob}. */
export interface GrowthWriter {
  readonly blob: GrowingBlob
  /** The first `bytes` of the file are written. */
  grow: (bytes: number) => void
  /** Nothing follows. The first call counts. */
  end(state: 'whole' | 'failed'): void
}

const STATES: readonly GrowthState[] = ['growing', 'whole', 'failed']

/** Milliseconds after which a reader looks at its signal, which no notification tells it of. */
const LOOK_AROUND = 200

/*
 * One number holds both: four times the bytes, plus the state. With two, a reader could look at the state, miss the change and the notification
 * after it, and then wait for bytes that never come.
 */

export function createGrowth(path: string): GrowthWriter {
  const progress = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)
  const cell = new BigInt64Array(progress)
  let ended = false

  function store(growth: Growth): void {
    Atomics.store(cell, 0, encode(growth))
    Atomics.notify(cell, 0)
  }

  return {
    blob: { path, progress },
    grow: (bytes) => store({ bytes, state: 'growing' }),
    end(state) {
      if (ended) return
      ended = true
      store({ bytes: decode(Atomics.load(cell, 0)).bytes, state })
    },
  }
}

/** The same blob by a path that stays good when its file is renamed or deleted, until it is disposed: who reads it may have to wait before. */
export function holdGrowing({ path, progress }: GrowingBlob): Disposable & GrowingBlob {
  const fd = openSync(path, 'r')
  return { path: `/proc/self/fd/${fd}`, progress, [Symbol.dispose]: () => closeSync(fd) }
}

/** How far a blob has come by now. */
export function growthOf({ progress }: Pick<GrowingBlob, 'progress'>): Growth {
  return decode(Atomics.load(new BigInt64Array(progress), 0))
}

/** The reader's side, in any thread: resolves when there is more than `seen`, or at once when nothing follows. Throws the signal's reason. */
export async function nextGrowth({ progress }: Pick<GrowingBlob, 'progress'>, seen: number, signal?: AbortSignal): Promise<Growth> {
  const cell = new BigInt64Array(progress)
  for (;;) {
    signal?.throwIfAborted()
    const value = Atomics.load(cell, 0)
    const growth = decode(value)
    if (growth.bytes > seen || growth.state !== 'growing') return growth
    // Not Atomics.wait: the thread has messages to hear and other data to write meanwhile.
    await Atomics.waitAsync(cell, 0, value, LOOK_AROUND).value
  }
}

function encode({ bytes, state }: Growth): bigint {
  return (BigInt(bytes) << 2n) | BigInt(STATES.indexOf(state))
}

function decode(value: bigint): Growth {
  return { bytes: Number(value >> 2n), state: STATES[Number(value & 3n)] ?? 'failed' }
}
