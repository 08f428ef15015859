import { readGhaOptions } from './gha/gha-options.ts'
import { ghaService } from './gha/gha-service.ts'
import { readS3Options } from './s3/s3-options.ts'
import { s3Service } from './s3/s3-service.ts'
import type { ServiceKind } from './types.ts'

/** By the type of the cache. */
const KINDS: Readonly<Record<string, ServiceKind>> = {
  gha: {
    exportName: 'exporting to GitHub Actions Cache',
    shown: ({ scope = 'buildkit' }) => `gha:${scope}`,
    read(reader, { proxies }) {
      const options = readGhaOptions(reader)
      // GitHub counts requests, and refuses them for a while when there are too many.
      return { parallelism: 4, open: async () => ghaService(options, { proxies }) }
    },
  },
  s3: {
    exportName: 'exporting cache to Amazon S3',
    shown: ({ bucket = '', name = 'buildkit' }) => `s3:${bucket}:${name}`,
    read(reader, { proxies }) {
      const options = readS3Options(reader)
      return { parallelism: options.parallelism, open: () => s3Service(options, { proxies }) }
    },
  },
}

export function serviceKind(type: string): ServiceKind | undefined {
  return Object.hasOwn(KINDS, type) ? KINDS[type] : undefined
}
