import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from './digest.ts'
import type { Descriptor } from './image-spec.ts'
import { choosePlatform, formatPlatform, hostPlatform, parsePlatform, platformMatches } from './platform.ts'

describe('parsePlatform', () => {
  it('takes the short and long forms', () => {
    assert.equal(formatPlatform(parsePlatform('linux/arm/v7')), 'linux/arm/v7')
    assert.equal(formatPlatform(parsePlatform('linux/aarch64')), 'linux/arm64')
    assert.equal(formatPlatform(parsePlatform('x86_64')), 'linux/amd64')
    assert.equal(formatPlatform(parsePlatform('linux', { os: 'linux', architecture: 'riscv64' })), 'linux/riscv64')
  })

  it('refuses more than three parts, strange characters, and a single word that names nothing', () => {
    for (const text of ['a/b/c/d', '', 'linux/', 'lin ux', 'foobar']) assert.throws(() => parsePlatform(text), { code: 'INVALID_ARGUMENT' })
    assert.throws(
      () => parsePlatform('linux/'),
      /^EngineError: "" is an invalid component of "linux\/": platform specifier component must match/,
    )
  })
})

describe('platformMatches', () => {
  it('lets newer arm run older, not the other way round', () => {
    const arm = (variant: string) => ({ os: 'linux', architecture: 'arm', variant })
    assert.equal(platformMatches(arm('v7'), arm('v6')), true)
    assert.equal(platformMatches(arm('v6'), arm('v7')), false)
    assert.equal(platformMatches(hostPlatform('arm64'), { os: 'linux', architecture: 'arm64' }), true)
    assert.equal(platformMatches(hostPlatform('x64'), { os: 'linux', architecture: 'arm64' }), false)
  })
})

describe('choosePlatform', () => {
  const entry = (architecture: string, variant?: string): Descriptor => ({
    mediaType: 'x',
    digest: digestOf(architecture + (variant ?? '')),
    size: 1,
    platform: { os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) },
  })

  it('prefers the exact variant, then the newest compatible one', () => {
    const manifests = [entry('arm', 'v5'), entry('arm', 'v6'), entry('arm', 'v7'), entry('amd64')]
    assert.equal(choosePlatform(manifests, parsePlatform('linux/arm/v7'))?.digest, digestOf('armv7'))
    assert.equal(choosePlatform(manifests.slice(0, 2), parsePlatform('linux/arm/v7'))?.digest, digestOf('armv6'))
    assert.equal(choosePlatform(manifests, parsePlatform('linux/s390x')), undefined)
  })
})
