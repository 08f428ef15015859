import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesEvent } from './event-filter.ts'
import type { EngineEvent, EventFilters, EventType } from './types.ts'

function event(type: EventType, action: string, id: string, attributes: Record<string, string> = {}): EngineEvent {
  return { type, action, actor: { id, attributes }, timeNano: 0n }
}

const started = event('container', 'start', 'abcdef012345', {
  name: 'web',
  image: 'docker.io/library/nginx:1.27',
  tier: 'front',
  empty: '',
})

function check(subject: EngineEvent, cases: [EventFilters, boolean][]): void {
  for (const [filters, expected] of cases) assert.equal(matchesEvent(subject, filters), expected, JSON.stringify(filters))
}

test('matchesEvent takes everything without filters and ignores unknown keys', () => {
  check(started, [
    [{}, true],
    [{ type: [] }, true],
    [{ nonsense: ['x'] }, true],
  ])
})

test('matchesEvent needs any value per key and all keys', () => {
  check(started, [
    [{ type: ['image', 'container'] }, true],
    [{ type: ['image'] }, false],
    [{ type: ['container'], event: ['stop', 'start'] }, true],
    [{ type: ['container'], event: ['stop'] }, false],
    [{ scope: ['local'] }, true],
    [{ scope: ['swarm'] }, false],
  ])
})

test('matchesEvent finds the actor by prefix of id or name', () => {
  check(started, [
    [{ container: ['abc'] }, true],
    [{ container: ['abcdef012345'] }, true],
    [{ container: ['we'] }, true],
    [{ container: ['bcd'] }, false],
    [{ container: ['other', 'web'] }, true],
    [{ network: ['bridge'] }, false],
  ])
  check(event('network', 'connect', 'n1', { name: 'bridge', container: 'abcdef012345' }), [
    [{ network: ['bridge'] }, true],
    [{ container: ['abcdef012345'] }, false],
  ])
})

test('matchesEvent compares actions exactly, those with a detail by prefix', () => {
  const exec = event('container', 'exec_start: sh -c ls', 'a')
  check(exec, [
    [{ event: ['exec_start'] }, true],
    [{ event: ['exec_start: sh -c ls'] }, true],
    [{ event: ['exec_create'] }, false],
    [{ event: ['exec_st'] }, false],
  ])
  check(event('container', 'health_status: healthy', 'a'), [[{ event: ['health_status'] }, true]])
  check(event('container', 'exec_die', 'a'), [
    [{ event: ['exec'] }, false],
    [{ event: ['exec_die'] }, true],
  ])
})

test('matchesEvent finds images with and without tag, and containers made from them', () => {
  check(started, [
    [{ image: ['nginx'] }, true],
    [{ image: ['docker.io/library/nginx:1.27'] }, true],
    [{ image: ['nginx:1.26'] }, false],
  ])
  const pulled = event('image', 'pull', 'registry:5000/a/b:1', { name: 'registry:5000/a/b' })
  check(pulled, [
    [{ image: ['registry:5000/a/b'] }, true],
    [{ image: ['registry:5000/a/b:1'] }, true],
    [{ image: ['registry'] }, false],
  ])
})

test('matchesEvent needs every label', () => {
  check(started, [
    [{ label: ['tier'] }, true],
    [{ label: ['tier=front'] }, true],
    [{ label: ['tier=back'] }, false],
    [{ label: ['tier=front', 'zone'] }, false],
    [{ label: ['empty='] }, true],
    [{ label: ['toString'] }, false],
  ])
})
