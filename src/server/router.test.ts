import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_API_VERSION } from '#api'
import { EngineError } from '#errors'
import type { Method, Route } from './route.ts'
import { createRouter } from './router.ts'

const route = (method: Method, path: string, since?: number): Route => ({
  method,
  path,
  summary: '',
  handle: () => {},
  ...(since === undefined ? {} : { since }),
})

const router = createRouter(
  [
    route('GET', '/images/json'),
    route('GET', '/images/{name*}/json'),
    route('DELETE', '/images/{name*}'),
    route('GET', '/exec/{id}/json'),
    route('POST', '/build/prune', 31),
  ],
  24,
)

function refusal(method: string, url: string): { code: string; message: string } {
  try {
    router.match(method, url)
  } catch (error) {
    assert.ok(error instanceof EngineError)
    return { code: error.code, message: error.message }
  }
  return assert.fail(`${method} ${url} was accepted`)
}

test('match finds literal paths before greedy ones', () => {
  assert.equal(router.match('GET', '/images/json').route.path, '/images/json')
  assert.deepEqual(router.match('GET', '/images/registry:5000/a/b:1/json').params, { name: 'registry:5000/a/b:1' })
  assert.deepEqual(router.match('DELETE', '/images/a/json').params, { name: 'a/json' })
})

test('match decodes the path before looking at its segments', () => {
  assert.deepEqual(router.match('GET', '/images/library%2Fnginx:1/json').params, { name: 'library/nginx:1' })
  assert.equal(refusal('GET', '/images/%zz/json').code, 'INVALID_ARGUMENT')
})

test('match takes the whole URI that a proxy writes', () => {
  assert.deepEqual(router.match('GET', 'http://docker:2375/v1.30/images/a/json?x=1').params, { name: 'a' })
  assert.equal(router.match('GET', 'https://docker/images/json').version, MAX_API_VERSION)
})

test('match lets a plain parameter take one segment only', () => {
  assert.deepEqual(router.match('GET', '/exec/abc/json').params, { id: 'abc' })
  assert.equal(refusal('GET', '/exec/a/b/json').code, 'NOT_FOUND')
})

test('match gives version and query', () => {
  assert.equal(router.match('GET', '/v1.30/images/json').version, 30)
  assert.equal(router.match('GET', '/images/json').version, MAX_API_VERSION)
  assert.equal(router.match('GET', '/v1.30/images/json?all=1&filters={}').search, 'all=1&filters={}')
})

test('match refuses versions out of range in the words that tools look for', () => {
  assert.deepEqual(refusal('GET', '/v1.99/images/json'), {
    code: 'INVALID_ARGUMENT',
    message: 'client version 1.99 is too new. Maximum supported API version is 1.55',
  })
  assert.deepEqual(refusal('GET', '/v1.12/images/json'), {
    code: 'INVALID_ARGUMENT',
    message: 'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  })
  assert.equal(refusal('GET', '/v2.0/images/json').code, 'INVALID_ARGUMENT')
})

test('match refuses a route that is newer than the version with 400', () => {
  assert.deepEqual(refusal('POST', '/v1.30/build/prune'), {
    code: 'INVALID_ARGUMENT',
    message: 'POST /build/prune requires minimum API version 1.31',
  })
  assert.equal(router.match('POST', '/v1.31/build/prune').version, 31)
})

test('match answers page not found for unknown paths, methods and version words', () => {
  for (const [method, url] of [
    ['GET', '/nothing'],
    ['GET', '/'],
    ['PATCH', '/images/json'],
    ['POST', '/images/json'],
    ['GET', '/v1.44'],
    ['GET', '/v../images/json'],
    ['GET', '/images//'],
  ] as const) {
    assert.deepEqual(refusal(method, url), { code: 'NOT_FOUND', message: 'page not found' }, `${method} ${url}`)
  }
})
