import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { logSink, verifyLogConfig } from './log-config.ts'
import type { Container } from './types.ts'

const container = (config: Record<string, string>, type = 'json-file'): Container =>
  ({
    id: 'a'.repeat(64),
    name: 'web',
    imageId: `sha256:${'b'.repeat(64)}`,
    logPath: '/log',
    config: { image: 'nginx', env: ['A=1', 'B=2=3'], labels: { tier: 'front', other: 'x' } },
    hostConfig: { logConfig: { type, config } },
  }) as unknown as Container

describe('verifyLogConfig', () => {
  const refused: [string, Record<string, string>, string][] = [
    ['syslog', {}, "logger: no log driver named 'syslog' is registered"],
    ['json-file', { 'max-sizes': '1' }, "unknown log opt 'max-sizes' for json-file log driver"],
    ['json-file', { 'max-file': '0' }, 'max-file cannot be less than 1'],
    ['json-file', { 'max-size': 'x' }, "invalid size: 'x'"],
    ['json-file', { compress: 'true' }, 'log opt compress of the json-file log driver is not supported yet'],
    ['json-file', { tag: '{{.Nope}}' }, 'log tag field {{.Nope}} is not supported yet'],
  ]
  for (const [type, config, message] of refused) {
    it(`refuses: ${message}`, () => assert.throws(() => verifyLogConfig({ type, config }), { message }))
  }
})

describe('logSink', () => {
  it('writes nothing with driver none', () => {
    assert.deepEqual(logSink(container({}, 'none')), { driver: 'none' })
  })

  it('gives limits and the attributes that were asked for', () => {
    const config = { 'max-size': '10k', 'max-file': '3', labels: 'tier,absent', env: 'B', tag: '{{.Name}}/{{.ID}}' }
    assert.deepEqual(logSink(container(config)), {
      driver: 'json-file',
      path: '/log',
      maxSize: 10_000,
      maxFile: 3,
      extra: '"attrs":{"tier":"front","B":"2=3","tag":"web/aaaaaaaaaaaa"}',
    })
  })

  it('adds nothing to the lines otherwise', () => {
    assert.deepEqual(logSink(container({})), { driver: 'json-file', path: '/log', maxSize: 0, maxFile: 1, extra: '' })
  })
})
