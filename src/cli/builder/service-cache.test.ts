import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withEnvironment } from './service-cache.ts'

const JOB = { ACTIONS_RUNTIME_TOKEN: 't', ACTIONS_CACHE_URL: 'http://one', ACTIONS_RESULTS_URL: 'http://two' }

test('withEnvironment gives a cache of GitHub’s what its job knows, in the version that the job has', () => {
  const attributesOf = (env: Record<string, string>, attributes: Record<string, string> = {}): Record<string, string> | undefined =>
    withEnvironment({ type: 'gha', attributes }, env)?.attributes
  assert.deepEqual(attributesOf(JOB), { token: 't', url: 'http://one' })
  assert.deepEqual(attributesOf({ ...JOB, ACTIONS_CACHE_SERVICE_V2: 'True' }), { token: 't', url: 'http://one', url_v2: 'http://two' })
  assert.deepEqual(attributesOf({ ACTIONS_RUNTIME_TOKEN: 't', ACTIONS_RESULTS_URL: 'http://two' }), { token: 't', url: 'http://two' })
  assert.deepEqual(attributesOf(JOB, { token: 'mine', url: 'http://mine', scope: 's' }), { token: 'mine', url: 'http://mine', scope: 's' })
})

test('withEnvironment leaves a cache of GitHub’s out where there is no job', () => {
  assert.equal(withEnvironment({ type: 'gha', attributes: {} }, {}), undefined)
  assert.equal(withEnvironment({ type: 'gha', attributes: { token: 't' } }, {}), undefined)
})

test('withEnvironment gives a cache in S3 the login of AWS unless the user has one', () => {
  const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_SESSION_TOKEN: 'c' }
  const attributesOf = (attributes: Record<string, string>): Record<string, string> | undefined =>
    withEnvironment({ type: 's3', attributes }, env)?.attributes
  assert.deepEqual(attributesOf({ bucket: 'x' }), { access_key_id: 'a', secret_access_key: 'b', session_token: 'c', bucket: 'x' })
  const own = { access_key_id: '1', secret_access_key: '2' }
  assert.deepEqual(attributesOf(own), own)
})

test('withEnvironment leaves other caches as they are', () => {
  const option = { type: 'registry', attributes: { ref: 'a' } }
  assert.equal(withEnvironment(option, JOB), option)
})
