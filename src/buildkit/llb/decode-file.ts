import type { FileAction, FileOp, Owner } from '#build'
import { invalidArgument } from '#errors'
import type { ops } from '#grpc'

/** `inputs`: how many the vertex has. Throws INVALID_ARGUMENT: also for actions that build on later ones, so that there is no circle. */
export function decodeFile({ actions }: ops.FileOp, inputs: number): FileOp {
  if (actions.length === 0) throw invalidArgument('invalid file op with no actions')
  const outputs = new Set<number>()
  return {
    kind: 'file',
    actions: actions.map((action, index) => {
      const known = inputs + index
      const output = Number(action.output)
      if (output !== -1 && outputs.has(output)) throw invalidArgument(`duplicate output ${output}`)
      outputs.add(output)
      return { input: checkedIndex(action.input, known), output, ...decodeAction(action, known) }
    }),
  }
}

type Action<T = FileAction> = T extends FileAction ? Omit<T, 'input' | 'output'> : never

function decodeAction({ action, secondaryInput }: ops.FileAction, known: number): Action {
  switch (action.case) {
    case 'copy':
      return decodeCopy(action.value, checkedIndex(secondaryInput, known))
    case 'mkfile': {
      const { path, mode, data } = action.value
      return { action: 'mkfile', path, mode, data, ...common(action.value) }
    }
    case 'mkdir': {
      const { path, mode, makeParents } = action.value
      return { action: 'mkdir', path, mode, makeParents, ...common(action.value) }
    }
    case 'rm': {
      const { path, allowNotFound, allowWildcard } = action.value
      return { action: 'rm', path, allowNotFound, allowWildcard }
    }
    case 'symlink': {
      const { target, path } = action.value
      return { action: 'symlink', target, path, ...common(action.value) }
    }
    default:
      throw invalidArgument('invalid file action: a kind that is not known')
  }
}

function decodeCopy(copy: ops.FileActionCopy, from: number): Action {
  const mode = copy.modeText === '' ? (copy.mode === -1 ? undefined : copy.mode) : copy.modeText
  return {
    action: 'copy',
    from,
    source: copy.src,
    target: copy.dest,
    ...(mode !== undefined && { mode }),
    ...common(copy),
    followSymlink: copy.followSymlink,
    directoryContentsOnly: copy.dirCopyContents,
    unpack: copy.attemptUnpack,
    createTargetParents: copy.createDestPath,
    allowWildcard: copy.allowWildcard,
    allowEmptyWildcard: copy.allowEmptyWildcard,
    includePatterns: copy.includePatterns,
    excludePatterns: copy.excludePatterns,
    alwaysReplaceExisting: copy.alwaysReplaceExisting,
    requiredPaths: copy.requiredPaths,
  }
}

/** Owner and time, where they are given. */
function common({ owner, timestamp }: { owner?: ops.ChownOpt | undefined; timestamp: bigint }): { owner?: Owner; timestamp?: number } {
  const decoded = decodeOwner(owner)
  return {
    ...(decoded !== undefined && { owner: decoded }),
    ...(timestamp !== -1n && { timestamp: Number(timestamp) / 1e6 }),
  }
}

function decodeOwner(owner: ops.ChownOpt | undefined): Owner | undefined {
  if (owner === undefined) return undefined
  const user = decodeUser(owner.user)
  const group = decodeUser(owner.group)
  return { ...(user !== undefined && { user }), ...(group !== undefined && { group }) }
}

function decodeUser(option: ops.UserOpt | undefined): number | string | undefined {
  const user = option?.user
  if (user?.case === 'byId') return user.value
  return user?.case === 'byName' ? user.value.name : undefined
}

function checkedIndex(index: bigint, known: number): number {
  if (index < -1n || index >= BigInt(known)) throw invalidArgument(`invalid input index ${index} of a file action`)
  return Number(index)
}
