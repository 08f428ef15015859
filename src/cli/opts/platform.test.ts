import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostPlatform } from '#oci'
import { parsePlatformFlag } from './platform.ts'

describe('parsePlatformFlag', () => {
  const { os, architecture } = hostPlatform()
  const read: [string, object][] = [
    ['linux/amd64', { architecture: 'amd64', os: 'linux' }],
    ['linux/arm64', { architecture: 'arm64', os: 'linux' }],
    ['linux/arm64/v8', { architecture: 'arm64', os: 'linux', variant: 'v8' }],
    ['Linux/ARM', { architecture: 'arm', os: 'linux' }],
    ['linux/arm/7', { architecture: 'arm', os: 'linux', variant: 'v7' }],
    ['linux/armel', { architecture: 'arm', os: 'linux', variant: 'v6' }],
    ['linux/x86_64', { architecture: 'amd64', os: 'linux' }],
    ['windows(10.0.1)/amd64', { architecture: 'amd64', os: 'windows', 'os.version': '10.0.1' }],
    ['s390x', { architecture: 's390x', os }],
    ['aarch64', { architecture: 'arm64', os }],
    ['macos/arm64', { architecture: 'arm64', os: 'darwin' }],
  ]
  for (const [text, platform] of read) it(`reads ${text}`, () => assert.deepEqual(parsePlatformFlag(text), platform))

  it('takes a system alone for this machine', () => {
    assert.equal(parsePlatformFlag('linux').architecture, architecture)
  })

  const refused: [string, string][] = [
    ['a/b/c/d', '"a/b/c/d": cannot parse platform specifier: invalid argument'],
    ['foo', '"foo": unknown operating system or architecture: invalid argument'],
    ['linux/*', '"linux/*": wildcards not yet supported: invalid argument'],
    [
      'linux/a b',
      '"a b" is an invalid component of "linux/a b": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument',
    ],
  ]
  for (const [text, message] of refused) it(`refuses ${text}`, () => assert.throws(() => parsePlatformFlag(text), { message }))
})
