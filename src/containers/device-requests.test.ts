import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { notFound } from '#errors'
import type { RuntimeSpec } from '#oci'
import type { DeviceRequest } from './configuration.ts'
import { injectDevices } from './device-requests.ts'

const SPEC = { ociVersion: '1.2.1' } as RuntimeSpec

/** Names of the devices that a request comes to, on a machine that has `known`. */
async function injected(request: Partial<DeviceRequest>, known = ['nvidia.com/gpu=all'], directories = ['/etc/cdi']): Promise<string[]> {
  const names: string[] = []
  const devices = {
    directories,
    list: async () => known.map((name) => ({ name, annotations: {} })),
    inject: async (spec: RuntimeSpec, wanted: readonly string[]) => {
      if (wanted.includes('v.com/c=unknown')) throw notFound('unresolvable CDI devices v.com/c=unknown')
      names.push(...wanted)
      return spec
    },
  }
  await injectDevices(devices, SPEC, [{ driver: '', count: 0, ...request }])
  return names
}

const gpu = { capabilities: [['gpu']] }

describe('injectDevices', () => {
  it('takes names of CDI as they are', async () => {
    assert.deepEqual(await injected({ driver: 'cdi', deviceIds: ['v.com/c=a', 'v.com/c=b'] }), ['v.com/c=a', 'v.com/c=b'])
    assert.deepEqual(await injected({ driver: 'cdi' }), [])
  })

  it('makes names of CDI of counts and ids of GPUs', async () => {
    assert.deepEqual(await injected({ ...gpu, count: -1 }), ['nvidia.com/gpu=all'])
    assert.deepEqual(await injected({ ...gpu, count: 2 }), ['nvidia.com/gpu=0', 'nvidia.com/gpu=1'])
    assert.equal((await injected({ ...gpu, count: 2 ** 40 })).length, 1024)
    assert.deepEqual(await injected({ ...gpu, deviceIds: ['GPU-1', 'v.com/c=x'] }), ['nvidia.com/gpu=GPU-1', 'v.com/c=x'])
    assert.deepEqual(await injected({ ...gpu, count: 1, driver: 'amd' }, ['amd.com/gpu=0', 'nvidia.com/gpu=0']), ['amd.com/gpu=0'])
    assert.deepEqual(await injected({ capabilities: [['tpu'], ['compute', 'utility']], count: 1 }), ['nvidia.com/gpu=0'])
  })

  it('says that no driver has it', async () => {
    const refused = async (request: Partial<DeviceRequest>, message: string, ...machine: string[][]): Promise<void> =>
      await assert.rejects(injected(request, ...machine), { code: 'INVALID_ARGUMENT', message })
    await refused({ ...gpu, count: -1 }, 'could not select device driver "" with capabilities: [[gpu]]', [])
    await refused({ ...gpu, driver: 'x' }, 'could not select device driver "x" with capabilities: [[gpu]]')
    await refused({ capabilities: [['gpu', 'tpu'], []].slice(0, 1) }, 'could not select device driver "" with capabilities: [[gpu tpu]]')
    await refused({ driver: 'cdi' }, 'could not select device driver "cdi" with capabilities: []', [], [])
  })

  it('refuses what contradicts itself, and devices that nobody knows', async () => {
    const refused = async (request: Partial<DeviceRequest>, message: string): Promise<void> =>
      await assert.rejects(injected(request), { code: 'INVALID_ARGUMENT', message })
    await refused({ driver: 'cdi', count: 1 }, 'unexpected count in CDI device request')
    await refused({ driver: 'cdi', options: { a: 'b' } }, 'unexpected options in CDI device request')
    await refused({ ...gpu, count: 1, deviceIds: ['0'] }, 'cannot set both Count and DeviceIDs on device request')
    await refused(
      { driver: 'cdi', deviceIds: ['v.com/c=unknown'] },
      'CDI device injection failed: unresolvable CDI devices v.com/c=unknown',
    )
  })
})
