import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePlatformJson } from './platform.ts'

test('parsePlatformJson takes members in any case and leaves out what it does not know', () => {
  assert.deepEqual(parsePlatformJson('{"OS":"linux","architecture":"arm64","variant":"v8","x":1}'), {
    os: 'linux',
    architecture: 'arm64',
    variant: 'v8',
  })
})

test('parsePlatformJson refuses what is no platform, in the words of Go', () => {
  const REFUSED: [string, string][] = [
    ['x', "failed to parse platform: invalid character 'x' looking for beginning of value"],
    ['[]', 'failed to parse platform: json: cannot unmarshal array into Go value of type v1.Platform'],
    ['{"os":5}', 'failed to parse platform: json: cannot unmarshal number into Go struct field Platform.os of type string'],
    [
      '{"os":"linux","architecture":"amd64","os.features":5}',
      'failed to parse platform: json: cannot unmarshal number into Go struct field Platform.os.features of type []string',
    ],
    ['null', 'both OS and Architecture must be provided'],
    ['{"os":"linux"}', 'both OS and Architecture must be provided'],
    ['{"variant":"v8"}', 'optional platform fields provided, but OS and Architecture are missing'],
  ]
  for (const [text, message] of REFUSED) assert.throws(() => parsePlatformJson(text), { code: 'INVALID_ARGUMENT', message })
})
