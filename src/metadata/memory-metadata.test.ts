import { createMemoryMetadata } from './index.ts'
import { metadataContract } from '../../test/contract/metadata.ts'

metadataContract('createMemoryMetadata', createMemoryMetadata)
