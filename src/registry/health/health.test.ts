import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createHealth, type Health } from './health.ts'
import { until } from '../testing/until.ts'

const OFTEN = { interval: 5, threshold: 1 }

/** What `/debug/health` answers. */
async function pageOf(health: Health, options: { isPublic: boolean }): Promise<unknown> {
  await using server = createServer((request, response) => void health.page(options)(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { headers: { Connection: 'close' } })
  assert.equal(response.status, 503)
  return await response.json()
}

const names = (health: Health): string[] => Object.keys(health.failures())

describe('Health', () => {
  it('is ill after so many failures in a row, and well after one success', async () => {
    let isWell = false
    let looks = 0
    const storage = async (): Promise<void> => {
      looks++
      if (!isWell) throw new Error('disk on fire')
      return Promise.resolve()
    }
    await using health = createHealth({ checks: [{ kind: 'storage', interval: 5, threshold: 3 }], storage })
    await until(() => names(health).length === 1)
    assert.ok(looks >= 3)
    assert.deepEqual(health.failures(), { storagedriver: 'disk on fire' })
    isWell = true
    await until(() => names(health).length === 0)
  })

  it('looks at files, URLs and ports', async () => {
    await using owned = new AsyncDisposableStack()
    const directory = await mkdtemp(join(tmpdir(), 'gantry-health-'))
    owned.defer(() => rm(directory, { recursive: true }))
    let status = 200
    const server = owned.use(createServer((_request, response) => void response.writeHead(status).end()))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    owned.defer(() => server.closeAllConnections())
    const { port } = server.address() as AddressInfo
    const uri = `http://127.0.0.1:${port}/`
    const path = join(directory, 'switch')
    const health = owned.use(
      createHealth({
        checks: [
          { ...OFTEN, kind: 'file', path },
          { ...OFTEN, kind: 'http', uri, headers: {}, status: 200, timeout: 1000 },
          { ...OFTEN, kind: 'tcp', host: '127.0.0.1', port, timeout: 1000 },
          { ...OFTEN, kind: 'tcp', host: '127.0.0.1', port: 1, timeout: 1000 },
        ],
        storage: async () => {},
      }),
    )
    await until(() => names(health).includes('127.0.0.1:1'))
    assert.deepEqual(names(health), ['127.0.0.1:1'])
    await writeFile(path, '')
    status = 500
    await until(() => names(health).length === 3)
    assert.deepEqual(names(health).sort(), ['127.0.0.1:1', path, uri].sort())
    assert.deepEqual(await pageOf(health, { isPublic: false }), health.failures())
    assert.deepEqual(await pageOf(health, { isPublic: true }), { tcp: 'unhealthy', http: 'unhealthy', file: 'unhealthy' })
  })
})
