import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NameRegistry } from './name-registry.ts'

describe('NameRegistry', () => {
  it("claim refuses a taken name with Docker's text", () => {
    const names = new NameRegistry()
    assert.equal(names.claim('/web', 'id1'), 'web')
    assert.throws(() => names.claim('web', 'id2'), {
      code: 'CONFLICT',
      message:
        'Conflict. The container name "/web" is already in use by container "id1". You have to remove (or rename) that container to be able to reuse that name.',
    })
  })

  it('claim refuses what is no name', () => {
    const names = new NameRegistry()
    for (const bad of ['a', '-ab', 'a b', 'ab/c', '//ab', '_x']) {
      assert.throws(() => names.claim(bad, 'id1'), {
        code: 'INVALID_ARGUMENT',
        message: `Invalid container name (${bad}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      })
    }
  })

  it('release leaves a name alone that has a new owner', () => {
    const names = new NameRegistry()
    names.claim('web', 'id1')
    names.release('web', 'id1')
    names.claim('web', 'id2')
    names.release('web', 'id1')
    assert.equal(names.ownerOf('web'), 'id2')
  })

  it('invent gives adjective_surname', () => {
    assert.match(new NameRegistry().invent('id1'), /^[a-z]+_[a-z]+$/)
  })
})
