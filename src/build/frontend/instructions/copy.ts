import type { AddInstruction, CopyInstruction, CopySources, Heredoc } from '#dockerfile'
import { invalidArgument } from '#errors'
import { digestOfData } from '../../graph/digest.ts'
import type { FileOp, VertexMeta } from '../../graph/types.ts'
import { rooted } from '../context/paths.ts'
import { Inputs, stepTree } from '../tree.ts'
import type { Tree } from '../tree.ts'
import { chainActions } from './chain-actions.ts'
import type { CopyPiece } from './chain-actions.ts'
import { copyMode, copyOwner } from './copy-attributes.ts'
import { copyPieces } from './copy-pieces.ts'
import type { CopyRequest } from './copy-pieces.ts'
import { expand, expandText, nextName, note, sameName, shownText, stepMeta } from './instruction-context.ts'
import type { InstructionContext } from './instruction-context.ts'
import { joinDirectory } from './workdir.ts'

/** As much text as an action, or one of its patterns, becomes in the operation. */
const ACTION_EFFORT = 64

/** COPY, from the context or another stage. */
export function dispatchCopy(instruction: CopyInstruction, context: InstructionContext): void {
  const { stage, conversion, command } = context
  const [from] = command.sources
  if (from !== undefined && from.phase !== 'done') {
    throw invalidArgument(
      `cannot copy from stage ${JSON.stringify(instruction.from)}, it needs to be defined before current stage ${JSON.stringify(stage.counter.stage)}`,
    )
  }
  const request = copyRequest(instruction, from === undefined ? conversion.context : from.tree, context)
  carryOut(instruction, { ...request, fromContext: from === undefined }, context)
  const paths = from === undefined ? conversion.contextPaths : from.paths
  for (const source of request.sources) paths.add(neededPath(source))
}

/** ADD: COPY from the context, and from URLs and repositories. */
export function dispatchAdd(instruction: AddInstruction, context: InstructionContext): void {
  const { conversion } = context
  const add = {
    checksum: instruction.checksum === undefined ? undefined : expandText(instruction.checksum, context),
    keepGitDirectory: instruction.keepGitDirectory,
    unpack: instruction.unpack,
  }
  const request = { ...copyRequest(instruction, conversion.context, context), add }
  const { locals } = carryOut(instruction, request, context)
  for (const source of locals) conversion.contextPaths.add(neededPath(source))
}

function copyRequest(instruction: CopySources, from: Tree, context: InstructionContext): CopyRequest {
  const { chown, chmod } = instruction
  const owner = chown === undefined ? '' : expandText(chown, context)
  const mode = chmod === undefined ? '' : expandText(chmod, context)
  return {
    from,
    fromContext: true,
    sources: instruction.sources.map((source) => expandText(source, context)),
    heredocs: instruction.heredocs.map((heredoc) => ({ name: heredoc.name, content: heredocContent(heredoc, context) })),
    destination: expandText(instruction.destination, context),
    parents: instruction.parents,
    add: undefined,
    common: {
      target: '',
      createTargetParents: true,
      excludePatterns: instruction.excludes.map((pattern) => expandText(pattern, context)),
      ...(owner !== '' && { owner: copyOwner(owner) }),
      ...(mode !== '' && { mode: copyMode(mode) }),
      ...(context.conversion.created !== undefined && { timestamp: context.conversion.created * 1000 }),
      alwaysReplaceExisting: false,
    },
    flags: [
      ...(instruction.parents ? ['--parents'] : []),
      ...(owner === '' ? [] : [`--chown=${owner}`]),
      ...(mode === '' ? [] : [`--chmod=${mode}`]),
    ],
  }
}

/** Variables in it count, quotes do not. */
function heredocContent({ trimmed, expand: withVariables }: Heredoc, context: InstructionContext): string {
  return withVariables ? expand(trimmed, context, { escape: '\\', ignoreQuotes: true }).text : trimmed
}

/** Makes the step. Gives the sources that are paths. */
function carryOut(
  instruction: AddInstruction | CopyInstruction,
  request: CopyRequest,
  context: InstructionContext,
): { locals: readonly string[] } {
  const { stage, conversion } = context
  const { sources, common } = request
  // Each source is an action of its own, with all patterns.
  conversion.effort.spend(sources.length * (1 + common.excludePatterns.length) * ACTION_EFFORT)
  const text = shownText(instruction, context)
  const name = nextName(context, text)
  const target = targetPath(request.destination, stage.image.config.WorkingDir ?? '/')
  const meta = stepMeta(context, name)
  const { pieces, locals } = copyPieces({ ...request, common: { ...common, target } }, meta, context)
  if (instruction.link) {
    const id = digestOfData([name, instruction.range])
    const copied = copyOnto(undefined, pieces, { ...meta, progressGroup: { id, name, weak: true } })
    stage.tree = linkOnto(stage.tree, copied, {
      ...meta,
      name: sameName(context, `LINK ${text}`),
      progressGroup: { id, name, weak: false },
    })
  } else {
    stage.tree = copyOnto(stage.tree, pieces, meta)
  }
  noteCopy(instruction, request, context)
  return { locals }
}

function copyOnto(base: Tree, pieces: readonly CopyPiece[], meta: VertexMeta): Tree {
  const inputs = new Inputs()
  const op: FileOp = { kind: 'file', actions: chainActions(base, pieces, inputs) }
  return stepTree(op, inputs.trees, meta)
}

/** `--link`: what is copied is a layer of its own, whatever the base is; both are only put on top of each other. */
function linkOnto(base: Tree, copied: Tree, meta: VertexMeta): Tree {
  return base === undefined ? copied : stepTree({ kind: 'merge' }, [base, copied], meta)
}

function noteCopy(
  { kind }: AddInstruction | CopyInstruction,
  { flags, sources, heredocs, destination }: CopyRequest,
  context: InstructionContext,
): void {
  const what = [kind.toUpperCase(), ...flags, ...sources, ...heredocs.map(({ name }) => `<<${name}`)].join(' ')
  note(context, { text: `${what} ${destination}`, classic: `${what} in ${destination} `, kind: 'files', hasLayer: true })
}

/** Absolute; a slash at the end stays, as it says that it is a directory. */
function targetPath(destination: string, directory: string): string {
  const path = joinDirectory(directory, destination)
  const isDirectory = destination === '' || /(?:^|\/)\.{0,2}$/.test(destination)
  return isDirectory && path !== '/' ? `${path}/` : path
}

/** What must be there so that `source` is found. Any depth of directories is more than can be asked for: all below the first one is. */
function neededPath(source: string): string {
  const path = rooted(source)
  const deep = path.indexOf('/**')
  return deep < 0 ? path : rooted(path.slice(0, deep))
}
