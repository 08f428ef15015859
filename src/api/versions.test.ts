import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatVersion, MAX_API_VERSION, MIN_API_VERSION, parseVersion } from './versions.ts'

test('parseVersion reads minors of major 1', () => {
  assert.equal(parseVersion('1.44'), 44)
  assert.equal(parseVersion('1.4'), 4)
  assert.equal(parseVersion('1'), 0)
  assert.equal(parseVersion(formatVersion(MAX_API_VERSION)), MAX_API_VERSION)
})

test('parseVersion puts other majors out of range', () => {
  assert.ok((parseVersion('0.99') ?? 0) < MIN_API_VERSION)
  assert.ok((parseVersion('2.0') ?? 0) > MAX_API_VERSION)
})

test('parseVersion gives undefined for what is no version', () => {
  for (const text of ['', '.', '1.', '.1', '1..2', 'one', '1.x']) assert.equal(parseVersion(text), undefined, text)
})
