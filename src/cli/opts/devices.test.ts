import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCdiName, parseBpsDevice, parseDevice, parseGpus, parseIopsDevice, parseWeightDevice } from './devices.ts'

describe('devices', () => {
  it('parseDevice reads host, container path and permissions', () => {
    assert.deepEqual(parseDevice('/dev/a'), { PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'rwm' })
    assert.deepEqual(parseDevice('/dev/a:r'), { PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'r' })
    assert.deepEqual(parseDevice('/dev/a:/dev/b:rw'), { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rw' })
    assert.throws(() => parseDevice('/dev/a:/dev/b:rr'), { message: 'bad mode specified: rr' })
    assert.throws(() => parseDevice('a:b'), { message: 'b is not an absolute path' })
  })

  it('isCdiName knows vendor, class and name', () => {
    assert.ok(isCdiName('vendor.com/gpu=0'))
    assert.equal(isCdiName('/dev/a'), false)
  })

  it('rates and weights', () => {
    assert.deepEqual(parseBpsDevice('/dev/sda:1mb'), { Path: '/dev/sda', Rate: 1048576 })
    assert.deepEqual(parseIopsDevice('/dev/sda:5'), { Path: '/dev/sda', Rate: 5 })
    assert.throws(() => parseWeightDevice('/dev/sda:5'), { message: 'invalid weight for device: /dev/sda:5' })
    assert.throws(() => parseBpsDevice('sda:1'), { message: 'bad format for device path: sda:1' })
  })

  it('parseGpus', () => {
    assert.deepEqual(parseGpus('all'), { Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']], Options: {} })
    assert.partialDeepStrictEqual(parseGpus('"device=0,1",capabilities=utility'), {
      Count: 0,
      DeviceIDs: ['0', '1'],
      Capabilities: [['utility', 'gpu']],
    })
  })
})
