import type { CopyAction } from './types.ts'

/** A copy of one thing as it is: what all copies that are made without a user's flags have in common. */
export const PLAIN_COPY: Readonly<
  Pick<
    CopyAction,
    | 'action'
    | 'followSymlink'
    | 'directoryContentsOnly'
    | 'unpack'
    | 'createTargetParents'
    | 'allowWildcard'
    | 'allowEmptyWildcard'
    | 'includePatterns'
    | 'excludePatterns'
    | 'alwaysReplaceExisting'
    | 'requiredPaths'
  >
> = {
  action: 'copy',
  followSymlink: false,
  directoryContentsOnly: false,
  unpack: false,
  createTargetParents: false,
  allowWildcard: false,
  allowEmptyWildcard: false,
  includePatterns: [],
  excludePatterns: [],
  alwaysReplaceExisting: false,
  requiredPaths: [],
}
