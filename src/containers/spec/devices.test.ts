import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { devices } from './devices.ts'
import { sampleHost, sampleHostConfig } from './sample-input.ts'

function found(pathOnHost: string, pathInContainer = ''): string[] {
  const hostConfig = sampleHostConfig({ devices: [{ pathOnHost, pathInContainer, cgroupPermissions: 'r' }] })
  return devices(hostConfig, sampleHost()).devices.map(({ path, major, minor }) => `${path} ${major}:${minor}`)
}

describe('devices', () => {
  it('puts a device at its own path unless another is given', () => {
    assert.deepEqual(found('/dev/sda'), ['/dev/sda 8:0'])
    assert.deepEqual(found('/dev/sda', '/dev/xvda'), ['/dev/xvda 8:0'])
  })

  it('takes all devices below a directory', () => {
    assert.deepEqual(found('/dev/snd', '/dev/sound'), ['/dev/sound/timer 116:33', '/dev/sound/by-path/card 116:2'])
  })

  it('refuses a path without devices', () => {
    const refused = (path: string, why: string): void =>
      assert.throws(() => found(path), {
        code: 'INVALID_ARGUMENT',
        message: `error gathering device information while adding custom device "${path}": ${why}`,
      })
    refused('/dev/nope', 'no such file or directory')
    refused('/etc/hosts', 'not a device node')
  })
})
