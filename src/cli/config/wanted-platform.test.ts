import assert from 'node:assert/strict'
import { it } from 'node:test'
import { wantedPlatform } from './wanted-platform.ts'

it('wantedPlatform takes the flag, or else the environment', () => {
  const env = { DOCKER_DEFAULT_PLATFORM: 'linux/arm64' }
  assert.deepEqual(wantedPlatform({ env }, 'linux/amd64'), { platform: 'linux/amd64' })
  assert.deepEqual(wantedPlatform({ env }, ''), { platform: 'linux/arm64' })
  assert.deepEqual(wantedPlatform({ env: {} }, ''), {})
})
