import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { json } from 'node:stream/consumers'
import { digestOf } from '#oci'
import { OciLayout } from '../../harness/oci-layout.ts'
import { RegistryProgram } from '../../harness/registry-program.ts'
import { mustSkopeo } from '../../harness/skopeo.ts'
import { unshared } from '../unshared.ts'
import { eventually } from '../../harness/eventually.ts'

const REGISTRY = 'http://127.0.0.1:5000'

interface Notice {
  action: string
  target: { repository: string; tag?: string; digest?: string; mediaType?: string; url?: string; length?: number }
  request: { method: string; useragent: string }
}

function push(registry: RegistryProgram, name: string): void {
  const layout = new OciLayout(join(registry.directory, 'layout'))
  const bytes = Buffer.alloc(2000, name)
  layout.name('image', layout.addImage([{ tar: bytes, bytes, type: 'tar' }]))
  mustSkopeo(registry.directory, 'copy', '--dest-tls-verify=false', `oci:${layout.directory}:image`, `docker://127.0.0.1:5000/${name}`)
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  await eventually(async () => assert.ok(await condition(), `${what} did not come about`))
}

unshared(import.meta.filename, () => {
  describe('gantry registry serve', () => {
    before(() => void execFileSync('ip', ['link', 'set', 'lo', 'up']))

    it('notifies endpoints of pushes, pulls and deletions, again until they take it', async () => {
      const notices: Notice[] = []
      const types = new Set<string | undefined>()
      let refusals = 2
      await using listener = createServer((request, response) => {
        void (async () => {
          const { events } = (await json(request)) as { events: Notice[] }
          types.add(request.headers['content-type'])
          if (refusals-- > 0) return void response.writeHead(500).end()
          assert.equal(request.headers['x-secret'], 'a, b')
          notices.push(...events)
          response.writeHead(200).end()
        })()
      })
      listener.listen(5001, '127.0.0.1')
      await once(listener, 'listening')
      const endpoint = {
        name: 'test',
        url: 'http://127.0.0.1:5001/',
        headers: { 'X-Secret': ['a', 'b'] },
        timeout: '1s',
        threshold: 3,
        backoff: '50ms',
      }
      await using registry = await RegistryProgram.start(() => ({
        http: { addr: ':5000' },
        notifications: { endpoints: [{ ...endpoint, ignore: { mediatypes: ['application/octet-stream'] } }] },
      }))
      push(registry, 'team/app:1')
      const manifest = await fetch(`${REGISTRY}/v2/team/app/manifests/1`)
      const digest = manifest.headers.get('docker-content-digest') ?? ''
      assert.equal((await fetch(`${REGISTRY}/v2/team/app/manifests/${digest}`, { method: 'DELETE' })).status, 202)
      await until('the notice of the deletion', () => notices.some(({ action }) => action === 'delete'))
      const [pushed] = notices
      assert.deepEqual(
        { action: pushed?.action, repository: pushed?.target.repository, tag: pushed?.target.tag, digest: pushed?.target.digest },
        { action: 'push', repository: 'team/app', tag: '1', digest },
      )
      assert.equal(pushed?.target.url, `${REGISTRY}/v2/team/app/manifests/${digest}`)
      assert.ok(notices.some(({ action, request }) => action === 'pull' && request.method === 'GET'))
      assert.ok(notices.every(({ target }) => target.mediaType !== 'application/octet-stream'))
      assert.deepEqual([...types], ['application/vnd.docker.distribution.events.v1+json'])
      listener.closeAllConnections()
    })

    it('shows metrics and health on the second address only, and the access log on stdout', async () => {
      await using registry = await RegistryProgram.start((directory) => ({
        http: { addr: ':5000', debug: { addr: '127.0.0.1:5002', prometheus: { enabled: true } }, headers: { 'X-Frame-Options': ['DENY'] } },
        health: {
          file: [{ file: join(directory, 'out-of-service'), interval: '50ms' }],
          storagedriver: { enabled: true, interval: '50ms' },
        },
      }))
      push(registry, 'app:1')
      // A request is counted when its answer is sent, of which its client knows first.
      await eventually(async () => {
        const metrics = await (await fetch('http://127.0.0.1:5002/metrics')).text()
        assert.match(metrics, /^registry_http_requests_total\{handler="manifest",method="put",code="201"\} 1$/m)
        assert.match(metrics, /^registry_events_total\{action="push"\} 3$/m)
        assert.match(metrics, /^registry_healthy 1$/m)
        assert.match(metrics, /^process_resident_memory_bytes \d+/m)
      })
      for (const path of ['/metrics', '/debug/health']) assert.equal((await fetch(REGISTRY + path)).status, 404, path)
      assert.equal((await fetch(`${REGISTRY}/v2/`)).headers.get('x-frame-options'), 'DENY')

      const health = async (): Promise<number> => (await fetch('http://127.0.0.1:5002/debug/health')).status
      assert.equal(await health(), 200)
      writeFileSync(join(registry.directory, 'out-of-service'), '')
      await until('ill health', async () => (await health()) === 503)
      assert.match(await (await fetch('http://127.0.0.1:5002/debug/health')).text(), /out-of-service":"file exists"/)
      rmSync(join(registry.directory, 'out-of-service'))
      await until('health', async () => (await health()) === 200)
      const line = /^127\.0\.0\.1 - - \[.*\] "PUT \/v2\/app\/manifests\/1 HTTP\/1\.1" 201 \d+ "" "skopeo/m
      await eventually(() => assert.match(registry.accessLog, line))
    })

    it('collects by command while it runs, and leaves what is young', async () => {
      await using registry = await RegistryProgram.start((directory) => ({
        http: { addr: ':5000' },
        storage: { filesystem: { rootdirectory: join(directory, 'root') }, maintenance: { garbagecollection: { grace: '1h' } } },
      }))
      push(registry, 'app:1')
      const orphan = 'orphan'
      const upload = (): Promise<Response> =>
        fetch(`${REGISTRY}/v2/app/blobs/uploads/?digest=${digestOf(orphan)}`, { method: 'POST', body: orphan })
      const stat = async (): Promise<number> => (await fetch(`${REGISTRY}/v2/app/blobs/${digestOf(orphan)}`)).status
      assert.equal((await upload()).status, 201)
      assert.match(registry.collect().stdout, /0 of 4 blobs were removed/)
      const blob = digestOf(orphan).replace(/^sha256:(..)/, '$1/$1')
      utimesSync(join(registry.directory, 'root/blobs/sha256', blob), 0, 0)
      assert.match(registry.collect('--dry-run').stdout, new RegExp(`would remove blob ${digestOf(orphan)}`))
      assert.equal(await stat(), 200)
      assert.match(registry.collect().stdout, /1 of 4 blobs were removed: 6 bytes/)
      assert.equal(await stat(), 404)
      assert.equal((await fetch(`${REGISTRY}/v2/app/manifests/1`)).status, 200)
      assert.equal(await registry.stop('SIGINT'), 0)
      assert.match(registry.collect('--delete-untagged').stdout, /0 of 3 blobs were removed/)
    })
  })
})
