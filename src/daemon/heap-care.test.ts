import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { startHeapCare, type Heap } from './heap-care.ts'

const MIB = 1 << 20

/** A heap of `size` of which `needed` is left after a collection. */
function fakeHeap(): { size: number; needed: number; busy: number; collected: number; asHeap: Heap } {
  const heap = {
    size: 30 * MIB,
    needed: 25 * MIB,
    busy: 0,
    collected: 0,
    asHeap: {
      size: () => heap.size,
      utilization: () => heap.busy,
      async collect() {
        heap.collected++
        heap.size = heap.needed
      },
    },
  }
  return heap
}

describe('startHeapCare', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }))
  afterEach(() => mock.timers.reset())

  async function pass(): Promise<void> {
    mock.timers.tick(10_000)
    await Promise.resolve()
    await Promise.resolve()
  }

  it('collects what a burst of work has left, once', async () => {
    const heap = fakeHeap()
    using _care = startHeapCare({ heap: heap.asHeap, report: assert.ifError })
    await pass()
    assert.equal(heap.collected, 0)
    heap.size = 100 * MIB
    await pass()
    await pass()
    assert.equal(heap.collected, 1)
  })

  it('waits for the end of the work', async () => {
    const heap = fakeHeap()
    using _care = startHeapCare({ heap: heap.asHeap, report: assert.ifError })
    Object.assign(heap, { size: 100 * MIB, busy: 0.5 })
    await pass()
    assert.equal(heap.collected, 0)
    heap.busy = 0.01
    await pass()
    assert.equal(heap.collected, 1)
  })

  it('does not try again for what is really needed', async () => {
    const heap = fakeHeap()
    using _care = startHeapCare({ heap: heap.asHeap, report: assert.ifError })
    Object.assign(heap, { size: 100 * MIB, needed: 90 * MIB })
    await pass()
    heap.size = 110 * MIB
    await pass()
    assert.equal(heap.collected, 1)
    heap.size = 140 * MIB
    await pass()
    assert.equal(heap.collected, 2)
  })

  it('reports a collection that fails, and goes on', async () => {
    const heap = fakeHeap()
    const reported: unknown[] = []
    const failing = { ...heap.asHeap, collect: () => Promise.reject(new Error('no')) }
    using _care = startHeapCare({ heap: failing, report: (error) => reported.push(String(error)) })
    heap.size = 100 * MIB
    await pass()
    await pass()
    assert.deepEqual(reported, ['Error: no', 'Error: no'])
  })
})
