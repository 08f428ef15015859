import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { programEnding } from './program-ending.ts'

const SIGKILL = 9

/** A program whose end, and whose connection's end, the test decides. */
function program(by: 'program' | 'us') {
  const exit = Promise.withResolvers<number>()
  const signals: number[] = []
  const duplex = new PassThrough()
  return {
    exit: (code: number) => exit.resolve(code),
    close: () => void duplex.destroy(),
    signals,
    ending: (isDone: boolean) =>
      programEnding(
        {
          exited: exit.promise,
          async kill(signal) {
            signals.push(signal)
            exit.resolve(128 + signal)
          },
        },
        { duplex, isEnded: () => by === 'program' },
        () => isDone,
      ),
  }
}

describe('programEnding', () => {
  it('gives the code of a program that ends by itself, whichever of its ends comes first', async () => {
    for (const first of ['exit', 'close'] as const) {
      const { exit, close, signals, ending } = program('program')
      const ended = ending(false)
      if (first === 'exit') exit(3)
      close()
      await new Promise((resolve) => setImmediate(resolve))
      exit(3)
      assert.deepEqual(await ended, { code: 3 })
      assert.deepEqual(signals, [])
    }
  })

  it('kills a program that was cut off', async () => {
    const { close, signals, ending } = program('us')
    const ended = ending(false)
    close()
    assert.equal(await ended, 'cut')
    assert.deepEqual(signals, [SIGKILL])
  })

  it('lets one end that has handed over what it had', async () => {
    const { exit, close, signals, ending } = program('us')
    const ended = ending(true)
    close()
    await new Promise((resolve) => setImmediate(resolve))
    exit(0)
    assert.deepEqual(await ended, { code: 0 })
    assert.deepEqual(signals, [])
  })
})
