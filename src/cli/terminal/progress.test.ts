import assert from 'node:assert/strict'
import { it } from 'node:test'
import { progressBar } from './progress.ts'

it('progressBar draws a bar on wide terminals and numbers on narrow ones', () => {
  assert.equal(progressBar({ current: 50e6, total: 100e6 }, 120), `[${'='.repeat(25)}>${' '.repeat(25)}]     50MB/100MB`)
  assert.equal(progressBar({ current: 50e6, total: 100e6 }, 80), '    50MB/100MB')
})

it('progressBar without a total shows what came', () => {
  assert.equal(progressBar({ current: 1234 }, 120), ' 1.234kB')
  assert.equal(progressBar({}, 120), '')
  assert.equal(progressBar({ current: 3, total: 5, units: 'files' }, 80), '3/5 files')
})
