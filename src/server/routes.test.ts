import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { allRoutes, API_DOCUMENT_PATH, renderApiDocument } from './api-document.ts'
import { createRouter } from './router.ts'
import { startServer } from './testing/harness.ts'

const ROOT = join(import.meta.dirname, '../..')
const SWAGGER = join(ROOT, '../shared/docker-api/v1.56.yaml')

/** Routes of Docker that its own API description leaves out, and that Gantry refuses. `POST /grpc` is one, too, and served. */
const UNDOCUMENTED = [
  'GET /containers/x/checkpoints',
  'POST /containers/x/checkpoints',
  'DELETE /containers/x/checkpoints/y',
  'GET /debug/vars',
  'GET /debug/pprof/',
  'GET /debug/pprof/cmdline',
  'GET /debug/pprof/profile',
  'GET /debug/pprof/symbol',
  'GET /debug/pprof/trace',
  'GET /debug/pprof/heap',
]

/** `GET /containers/{id}/json` of a Swagger 2.0 file, by indentation: paths at two spaces, methods at four. */
function swaggerOperations(yaml: string): string[] {
  const operations: string[] = []
  let path: string | undefined
  for (const line of yaml.slice(yaml.indexOf('\npaths:')).split('\n')) {
    path = /^ {2}"?(\/[^":]*)"?:/.exec(line)?.[1] ?? path
    const method = /^ {4}(get|head|post|put|delete):/.exec(line)?.[1]
    if (path !== undefined && method !== undefined) operations.push(`${method.toUpperCase()} ${path}`)
  }
  return operations
}

test('every operation of the API description has its route', { skip: existsSync(SWAGGER) ? false : 'no API description here' }, () => {
  const router = createRouter(allRoutes(), 24)
  const operations = swaggerOperations(readFileSync(SWAGGER, 'utf8'))
  assert.ok(operations.length >= 108, `${operations.length} operations found`)
  for (const operation of operations) {
    const [method = '', path = ''] = operation.split(' ')
    const { route } = router.match(method, path.replaceAll(/\{\w+\}/g, 'some-name'))
    // The route found must be the operation's own, not a greedier one that swallows its path.
    assert.equal(route.path.replaceAll(/\{\w+\*?\}/g, '{}'), path.replaceAll(/\{\w+\}/g, '{}'), operation)
  }
})

test('routes outside the API description are there, too', () => {
  const router = createRouter(allRoutes(), 24)
  for (const operation of UNDOCUMENTED) {
    const [method = '', path = ''] = operation.split(' ')
    assert.equal(router.match(method, path).route.refused, true, operation)
  }
})

test('what is missing answers 501 by name, and swarm 503', async () => {
  await using server = await startServer()
  for (const route of allRoutes()) {
    if (route.refused !== true) continue
    const answer = await server.request(route.method, route.path.replaceAll(/\{\w+\*?\}/g, 'x'))
    const isSwarm = /^\/(?:swarm|nodes|services|tasks|secrets|configs)\b/.test(route.path)
    assert.equal(answer.status, isSwarm ? 503 : 501, `${route.method} ${route.path}`)
    assert.match(answer.text, isSwarm ? /swarm/ : /not implemented in Gantry yet/)
  }
})

test('docs/generated/api.md is what the route table says', () => {
  assert.equal(readFileSync(join(ROOT, API_DOCUMENT_PATH), 'utf8'), renderApiDocument(), 'stale: run node tools/gen-api-document.ts')
})
