import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_CAPABILITIES } from '../capabilities.ts'
import { DEFAULT_PROFILE } from './default-profile.ts'
import { createSeccompFilters } from './filters.ts'

describe('createSeccompFilters', () => {
  it('makes each filter once per capability set, whatever the order, and compiles it once', () => {
    const filters = createSeccompFilters({ profile: DEFAULT_PROFILE, machine: 'x64', kernel: '6.1.0' })
    const spec = filters.defaultFor(DEFAULT_CAPABILITIES)
    assert.ok(spec !== undefined)
    assert.equal(filters.defaultFor(DEFAULT_CAPABILITIES.toReversed()), spec)
    assert.equal(filters.program(spec), filters.program(spec))
    const other = filters.defaultFor([...DEFAULT_CAPABILITIES, 'CAP_SYS_ADMIN'])
    assert.ok(other !== undefined && other !== spec)
    assert.equal(filters.program(other).equals(filters.program(spec)), false)
  })
})
