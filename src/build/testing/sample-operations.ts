import type { CopyAction } from '../graph/types.ts'

/** Of everything in the first input, over what is there. */
export const COPY: CopyAction = {
  action: 'copy',
  from: 0,
  source: '/',
  target: '/',
  followSymlink: true,
  directoryContentsOnly: true,
  unpack: false,
  createTargetParents: true,
  allowWildcard: true,
  allowEmptyWildcard: true,
  includePatterns: [],
  excludePatterns: [],
  alwaysReplaceExisting: false,
  requiredPaths: [],
}
