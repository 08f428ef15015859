import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Image } from '#images'
import { foreignImageWarning } from './foreign-image.ts'

function warning(os: string, architecture: string, variant?: string): string | undefined {
  const config: Image['config'] = { os, architecture, ...(variant !== undefined && { variant }), rootfs: { type: 'layers', diff_ids: [] } }
  return foreignImageWarning({ config }, 'x64')
}

describe('foreignImageWarning', () => {
  it('names both platforms', () => {
    assert.equal(
      warning('linux', 'arm64', 'v8'),
      "The requested image's platform (linux/arm64/v8) does not match the detected host platform (linux/amd64) and no specific platform was requested",
    )
    assert.match(warning('linux', 's390x') ?? '', /linux\/s390x/)
  })

  it('says nothing about what runs here, and about images that do not tell', () => {
    for (const [architecture, variant] of [['amd64'], ['amd64', 'v3'], ['386'], ['']] as const)
      assert.equal(warning('linux', architecture, variant), undefined)
  })
})
