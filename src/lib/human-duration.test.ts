import assert from 'node:assert/strict'
import { test } from 'node:test'
import { humanDuration } from './human-duration.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

test('humanDuration words each range', () => {
  const cases: [number, string][] = [
    [0.45 * second, 'Less than a second'],
    [second, '1 second'],
    [45 * second, '45 seconds'],
    [60 * second, 'About a minute'],
    [3.7 * minute, '3 minutes'],
    [60 * minute, 'About an hour'],
    [1.4 * hour, 'About an hour'],
    [1.6 * hour, '2 hours'],
    [47 * hour, '47 hours'],
    [2 * day, '2 days'],
    [13 * day, '13 days'],
    [14 * day, '2 weeks'],
    [59 * day, '8 weeks'],
    [61 * day, '2 months'],
    [729 * day, '24 months'],
    [731 * day, '2 years'],
  ]
  for (const [milliseconds, text] of cases) assert.equal(humanDuration(milliseconds), text)
})
