import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isUserDefined, parseNetwork } from './network.ts'

describe('parseNetwork', () => {
  it('reads the short and the long form', () => {
    assert.partialDeepStrictEqual(parseNetwork('host'), { target: 'host' })
    assert.partialDeepStrictEqual(
      parseNetwork('name=web,alias=a,alias=b,ip=10.0.0.5,driver-opt=k=v,gw-priority=-3,mac-address=02:42:0:0:0:1'),
      {
        target: 'web',
        aliases: ['a', 'b'],
        ipv4: '10.0.0.5',
        driverOpts: { k: 'v' },
        gatewayPriority: -3,
      },
    )
    assert.throws(() => parseNetwork('alias=a'), { message: 'network name/id is not specified' })
    assert.throws(() => parseNetwork('name=a,foo=b'), { message: 'invalid field key foo' })
  })

  it('isUserDefined knows the built-in modes', () => {
    assert.deepEqual(['default', 'bridge', 'host', 'none', 'container:x', 'web'].map(isUserDefined), [
      false,
      false,
      false,
      false,
      false,
      true,
    ])
  })
})
