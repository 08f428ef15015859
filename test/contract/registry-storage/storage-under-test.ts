import type { RegistryStorage } from '#registry'

export interface StorageUnderTest extends AsyncDisposable {
  storage: RegistryStorage
  /** Another one on the same place, as after a restart of the server. The first is used no more. */
  reopen(): Promise<RegistryStorage>
}

/** Gives an empty one. */
export type SetUp = () => Promise<StorageUnderTest>
