import type { Platform } from '#oci'
import type { SourceAddress } from '../graph/source-address.ts'
import type { SourceOp } from '../graph/types.ts'

/**
 * What is to be taken instead of a source, of which `platform` an image; undefined: the source itself. Throws FORBIDDEN for one that is denied, INVALID_ARGUMENT
 * for a policy that cannot be obeyed.
 */
export type SourcePolicy = (address: SourceAddress, platform: Platform | undefined) => SourceOp | undefined
