import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRoutes } from '../handlers/routes.ts'
import type { HandlerDeps } from '../handlers/types.ts'
import { endpointOf, matchRoute } from './route-table.ts'

const routes = createRoutes({} as HandlerDeps)

describe('matchRoute', () => {
  const CASES: [path: string, route: string, name: string, reference: string][] = [
    ['/v2', 'base', '', ''],
    ['/v2/', 'base', '', ''],
    ['/v2/_catalog', 'catalog', '', ''],
    ['/v2/a/tags/list', 'tags', 'a', ''],
    ['/v2/tags/list/tags/list', 'tags', 'tags/list', ''],
    ['/v2/a/manifests/v1', 'manifests', 'a', 'v1'],
    ['/v2/a/manifests/manifests/v1', 'manifests', 'a/manifests', 'v1'],
    ['/v2/a/b/c/blobs/sha256:0', 'blobs', 'a/b/c', 'sha256:0'],
    ['/v2/a/blobs/uploads/', 'uploads', 'a', ''],
    ['/v2/a/blobs/uploads', 'uploads', 'a', ''],
    ['/v2/a/blobs/uploads/id', 'upload', 'a', 'id'],
    ['/v2/blobs/uploads/blobs/uploads/id', 'upload', 'blobs/uploads', 'id'],
    ['/v2/a/referrers/sha256:0', 'referrers', 'a', 'sha256:0'],
  ]
  for (const [path, route, name, reference] of CASES) {
    it(`finds ${route} for ${path}`, () => {
      const match = matchRoute(routes, path)
      assert.deepEqual([match?.route.name, match?.parameters], [route, { name, reference }])
    })
  }

  it('knows no other path', () => {
    for (const path of [
      '/',
      '/v1/',
      '/v2/a',
      '/v2/a/tags',
      '/v2/tags/list',
      '/v2/manifests/x',
      '/v2/a/manifests/',
      '/v2/a/manifests/x/y',
    ]) {
      assert.equal(matchRoute(routes, path), undefined, path)
    }
  })

  it('refuses names that are no repository names', () => {
    for (const name of ['A', 'a//b', '../a', 'a/..', '_catalog', 'a/_tags', 'a\0', 'a'.repeat(256)]) {
      assert.throws(() => matchRoute(routes, `/v2/${name}/tags/list`), { code: 'NAME_INVALID' }, name)
    }
  })
})

describe('endpointOf', () => {
  it('serves HEAD by GET and names the methods of a path', () => {
    const { route } = matchRoute(routes, '/v2/a/manifests/v1') ?? assert.fail()
    assert.equal(endpointOf(route, 'HEAD'), endpointOf(route, 'GET'))
    assert.throws(() => endpointOf(route, 'PATCH'), { code: 'UNSUPPORTED', status: 405, headers: { Allow: 'GET, HEAD, PUT, DELETE' } })
  })
})
