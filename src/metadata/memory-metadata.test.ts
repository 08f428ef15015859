import { createMemoryMetadata } from '#metadata'
import { metadataContract } from '../../test/contract/metadata.ts'

metadataContract('createMemoryMetadata', createMemoryMetadata)
