import { describe, it } from 'node:test'
import { blobsContract } from './registry-storage/blobs.ts'
import { recordsContract } from './registry-storage/records.ts'
import type { SetUp } from './registry-storage/storage-under-test.ts'
import { uploadsContract } from './registry-storage/uploads.ts'

/** What every `RegistryStorage` does. `setUp` gives an empty one. */
export function registryStorageContract(implementation: string, setUp: SetUp): void {
  blobsContract(implementation, setUp)
  uploadsContract(implementation, setUp)
  recordsContract(implementation, setUp)

  describe(`${implementation} as RegistryStorage`, () => {
    it('check is content with a storage that works', async () => {
      await using test = await setUp()
      await test.storage.check()
    })
  })
}
