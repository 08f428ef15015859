import { posix } from 'node:path'
import type { WorkdirInstruction } from '#dockerfile'
import { invalidArgument } from '#errors'
import type { FileOp, Owner } from '../../graph/types.ts'
import { lint } from '../conversion.ts'
import { Inputs, stepTree } from '../tree.ts'
import { expandText, nextName, note, shownText, stepMeta } from './instruction-context.ts'
import type { InstructionContext } from './instruction-context.ts'
import { copyOwner } from './copy-attributes.ts'

/** WORKDIR: later steps run in it; it is made, as the user who is set. */
export function dispatchWorkdir(instruction: WorkdirInstruction, context: InstructionContext): void {
  const { stage, conversion } = context
  const path = expandText(instruction.path, context)
  if (path === '') throw invalidArgument('normalizing workdir: cannot normalize nothing')
  // Once is enough: what comes behind an absolute one may be relative.
  if (!stage.workingDirectorySet && !path.startsWith('/')) lint(conversion, 'WorkdirRelativePath', [path], instruction.range)
  stage.workingDirectorySet = true
  const { config } = stage.image
  const directory = joinDirectory(config.WorkingDir ?? '', path)
  config.WorkingDir = directory
  const makesDirectory = directory !== '/'
  if (makesDirectory) {
    const inputs = new Inputs()
    const input = inputs.index(stage.tree)
    const op = makeDirectory(directory, input, config.User ? copyOwner(config.User) : undefined, conversion.created)
    stage.tree = stepTree(op, inputs.trees, stepMeta(context, nextName(context, shownText(instruction, context))))
  }
  note(context, { text: `WORKDIR ${directory}`, kind: 'directory', hasLayer: makesDirectory })
}

/** The directory that `path` names from `current`. */
export function joinDirectory(current: string, path: string): string {
  return posix.resolve('/', current, path)
}

function makeDirectory(path: string, input: number, owner: Owner | undefined, created: number | undefined): FileOp {
  return {
    kind: 'file',
    actions: [
      {
        action: 'mkdir',
        input,
        output: 0,
        path,
        mode: 0o755,
        makeParents: true,
        ...(owner !== undefined && { owner }),
        ...(created !== undefined && { timestamp: created * 1000 }),
      },
    ],
  }
}
