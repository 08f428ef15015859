import type { Case } from './case.ts'
import { CONTENT_DISCOVERY_CASES } from './cases/content-discovery.ts'
import { CONTENT_MANAGEMENT_CASES } from './cases/content-management.ts'
import { PULL_CASES } from './cases/pull.ts'
import { PUSH_BLOB_CASES } from './cases/push-blobs.ts'
import { PUSH_MANIFEST_CASES } from './cases/push-manifests.ts'

export const CATEGORIES: Readonly<Record<string, readonly Case[]>> = {
  Pull: PULL_CASES,
  'Push: blobs': PUSH_BLOB_CASES,
  'Push: manifests': PUSH_MANIFEST_CASES,
  'Content Discovery': CONTENT_DISCOVERY_CASES,
  'Content Management': CONTENT_MANAGEMENT_CASES,
}
