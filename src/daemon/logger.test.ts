import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLogger } from './logger.ts'

describe('createLogger', () => {
  const now = (): Date => new Date('2024-05-06T07:08:09Z')

  it('writes logfmt lines that no value can break', () => {
    const lines: string[] = []
    const logger = createLogger({ level: 'info', format: 'text', write: (line) => lines.push(line), now })
    logger.info('started', { pid: 7, text: 'a "b"\nlevel=fatal' })
    assert.deepEqual(lines, ['time=2024-05-06T07:08:09.000Z level=info msg=started pid=7 text="a \\"b\\"\\nlevel=fatal"\n'])
  })

  it('writes JSON', () => {
    const lines: string[] = []
    createLogger({ level: 'info', format: 'json', write: (line) => lines.push(line), now }).warn('x', { a: 1 })
    assert.deepEqual(lines, ['{"level":"warn","msg":"x","time":"2024-05-06T07:08:09.000Z","a":1}\n'])
  })

  it('drops what is below the level, which can change', () => {
    const lines: string[] = []
    const logger = createLogger({ level: 'warn', format: 'text', write: (line) => lines.push(line), now })
    logger.info('no')
    logger.setLevel('debug')
    logger.debug('yes')
    assert.equal(lines.length, 1)
  })
})
