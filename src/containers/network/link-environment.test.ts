import assert from 'node:assert/strict'
import { it } from 'node:test'
import { linkEnvironment } from './link-environment.ts'

it('linkEnvironment tells of each port, of runs of ports, of the name and of the other variables', () => {
  const env = linkEnvironment({
    name: '/web/my-db',
    address: '172.17.0.2',
    env: ['PATH=/bin', 'HOME=/', 'PASSWORD=secret=1', 'EMPTY'],
    exposedPorts: ['53/udp', '5433', '5432/tcp'],
  })
  assert.deepEqual(env, [
    'MY_DB_PORT=tcp://172.17.0.2:5432',
    'MY_DB_PORT_5432_TCP=tcp://172.17.0.2:5432',
    'MY_DB_PORT_5432_TCP_ADDR=172.17.0.2',
    'MY_DB_PORT_5432_TCP_PORT=5432',
    'MY_DB_PORT_5432_TCP_PROTO=tcp',
    'MY_DB_PORT_5433_TCP=tcp://172.17.0.2:5433',
    'MY_DB_PORT_5433_TCP_ADDR=172.17.0.2',
    'MY_DB_PORT_5433_TCP_PORT=5433',
    'MY_DB_PORT_5433_TCP_PROTO=tcp',
    'MY_DB_PORT_5432_TCP_START=tcp://172.17.0.2:5432',
    'MY_DB_PORT_5432_TCP_PORT_START=5432',
    'MY_DB_PORT_5432_TCP_END=tcp://172.17.0.2:5433',
    'MY_DB_PORT_5432_TCP_PORT_END=5433',
    'MY_DB_PORT_53_UDP=udp://172.17.0.2:53',
    'MY_DB_PORT_53_UDP_ADDR=172.17.0.2',
    'MY_DB_PORT_53_UDP_PORT=53',
    'MY_DB_PORT_53_UDP_PROTO=udp',
    'MY_DB_NAME=/web/my-db',
    'MY_DB_ENV_PASSWORD=secret=1',
  ])
})

it('linkEnvironment of a container without ports has its name alone', () => {
  assert.deepEqual(linkEnvironment({ name: '/web/db', address: '172.17.0.2', env: [], exposedPorts: [] }), ['DB_NAME=/web/db'])
})
