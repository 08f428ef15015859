import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Container } from '../types.ts'
import { portRequests } from './attach-network.ts'

function exposing(...exposedPorts: string[]): Pick<Container, 'config' | 'hostConfig'> {
  return {
    config: { exposedPorts } as Container['config'],
    hostConfig: {
      networkMode: 'default',
      publishAllPorts: true,
      portBindings: [] as Container['hostConfig']['portBindings'],
    } as Container['hostConfig'],
  }
}

describe('portRequests of all exposed ports', () => {
  it('publishes ports and ranges, tcp unless said otherwise', () => {
    const shown = portRequests(exposing('80', '53/udp', '8000-8002/TCP')).map(
      ({ containerPort, protocol }) => `${containerPort}/${protocol}`,
    )
    assert.deepEqual(shown, ['80/tcp', '53/udp', '8000/tcp', '8001/tcp', '8002/tcp'])
  })

  for (const hostile of ['1-999999999999/tcp', '70000/tcp', '9-1/tcp', '80/icmp', '']) {
    it(`refuses ${JSON.stringify(hostile)}`, () => {
      assert.throws(() => portRequests(exposing(hostile)), {
        code: 'INVALID_ARGUMENT',
        message: `invalid port specification: ${JSON.stringify(hostile)}`,
      })
    })
  }
})
