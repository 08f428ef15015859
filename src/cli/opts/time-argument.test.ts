import assert from 'node:assert/strict'
import { it } from 'node:test'
import { timeArgument } from './time-argument.ts'

it('timeArgument reads seconds, durations and times with parts left out', () => {
  const now = Date.UTC(2024, 0, 2)
  assert.equal(timeArgument('1.5', 'since', now), '1.5')
  assert.equal(timeArgument('1h', 'since', now), `${now / 1000 - 3600}.000000000`)
  assert.equal(timeArgument('2024-01-01T00:00:00.25Z', 'since', now), `${now / 1000 - 86400}.250000000`)
  assert.equal(timeArgument('2024-01-01T01:00:00+01:00', 'since', now), `${now / 1000 - 86400}.000000000`)
  assert.throws(() => timeArgument('foo', 'until', now), {
    message: 'invalid value for "until": failed to parse value as time or duration: "foo"',
  })
  assert.throws(() => timeArgument('foo'), { message: 'failed to parse value as time or duration: "foo"' })
})
