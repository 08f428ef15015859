import assert from 'node:assert/strict'
import { it } from 'node:test'
import { compareVersions, lowerVersion, readPing } from './negotiation.ts'

it('compareVersions compares numbers, not text', () => {
  assert.ok(compareVersions('1.9', '1.24') < 0)
  assert.ok(compareVersions('1.50', '1.50') === 0)
  assert.ok(compareVersions('2.0', '1.99') > 0)
})

it('lowerVersion gives what both sides speak', () => {
  assert.equal(lowerVersion('1.55', '1.44'), '1.44')
  assert.equal(lowerVersion('1.44', '1.55'), '1.44')
})

it('readPing assumes the oldest version of a daemon that names none', () => {
  assert.equal(readPing(new Map()).apiVersion, '1.24')
  assert.equal(readPing(new Map([['api-version', 'nonsense']])).apiVersion, '1.24')
  assert.deepEqual(
    readPing(
      new Map([
        ['api-version', '1.50'],
        ['docker-experimental', 'true'],
        ['swarm', 'inactive'],
        ['ostype', 'linux'],
        ['builder-version', '2'],
      ]),
    ),
    {
      apiVersion: '1.50',
      osType: 'linux',
      experimental: true,
      builderVersion: '2',
      swarm: 'inactive',
    },
  )
})
