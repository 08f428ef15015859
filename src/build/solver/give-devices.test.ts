import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { vertex } from '../graph/digest.ts'
import { PLAIN_EXEC } from '../graph/plain-exec.ts'
import type { ExecOp, Vertex } from '../graph/types.ts'
import type { Entitlement } from '../types.ts'
import { giveDevices } from './give-devices.ts'

const step = (devices?: ExecOp['devices']): Vertex => vertex({ ...PLAIN_EXEC, ...(devices && { devices }) }, [], { name: 'RUN a' })
const known = { list: async () => [{ name: 'v.com/c=a', annotations: {} }] }

const give = (wanting: Vertex, ...granted: Entitlement[]): ReturnType<typeof giveDevices> =>
  giveDevices({ devices: known }, { entitlements: new Set(granted) }, [step(), wanting])

describe('giveDevices', () => {
  it('names what a step gets, and leaves it its id', async () => {
    const wanting = step([{ name: 'v.com/c', optional: true }])
    const given = await give(wanting, 'device')
    assert.deepEqual([...given.keys()], [wanting.id])
    const [done] = given.values()
    assert.equal(done?.id, wanting.id)
    assert.deepEqual(done?.op, { ...PLAIN_EXEC, devices: [{ name: 'v.com/c=a', optional: false }] })
  })
  it('makes a step that gets none one that asks for none', async () => {
    const [done] = (await give(step([{ name: 'v.com/other', optional: true }]))).values()
    assert.deepEqual(done?.op, PLAIN_EXEC)
  })
  it('refuses in the words of BuildKit', async () => {
    await assert.rejects(give(step([{ name: 'v.com/c=a', optional: false }])), {
      code: 'FORBIDDEN',
      message: 'failed to load LLB: device v.com/c=a is requested by the build but not allowed',
    })
  })
})
