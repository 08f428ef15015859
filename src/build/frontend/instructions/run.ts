import { commandArguments, parseDevice } from '#dockerfile'
import type { RunInstruction } from '#dockerfile'
import { invalidArgument } from '#errors'
import type { ExecOp, FileOp } from '../../graph/types.ts'
import { shellOf } from '../image-draft.ts'
import { parseNetwork } from '../option-values.ts'
import { displayText } from '../step-name.ts'
import { Inputs, stepTree } from '../tree.ts'
import { nextName, note, platformOfStage, stepMeta } from './instruction-context.ts'
import type { InstructionContext } from './instruction-context.ts'
import { readScript } from './run-script.ts'
import { createRunMounts } from './run-mounts.ts'
import type { RunMounts } from './run-mounts.ts'

/** RUN: a program in the file system so far. Source: moby/buildkit dockerfile2llb/convert.go, dispatchRun. */
export function dispatchRun(instruction: RunInstruction, context: InstructionContext): void {
  const { stage, conversion } = context
  // A program may read anything.
  stage.paths.add('/')
  const script = readScript(instruction.command)
  const args =
    script.kind === 'file'
      ? [`${SCRIPT_DIRECTORY}/${script.name}`]
      : commandArguments({ ...instruction.command, args: script.args }, shellOf(stage.image))
  // `RUN []`: there is nothing to run.
  if (args.length === 0) throw invalidArgument('arguments are required')
  const inputs = new Inputs()
  const root = inputs.index(stage.tree)
  // Each step has all of its variables in its operation, and is known by their digest.
  conversion.effort.spend(stage.variables.size())
  const mounts = createRunMounts(instruction.mounts, inputs, context)
  const name = nextName(context, runText(instruction, script.summary, mounts.secretEnv, context))
  const { network, ...common } = conversion.options.run
  const devices = instruction.devices.map(parseDevice)
  const op: ExecOp = {
    kind: 'exec',
    ...common,
    args,
    env: variablesOf(context, mounts),
    cwd: stage.image.config.WorkingDir || '/',
    user: stage.image.config.User ?? '',
    network: instruction.network === 'default' ? network : parseNetwork(instruction.network),
    security: instruction.security,
    mounts: [
      { type: 'bind', target: '/', input: root, selector: '', readonly: false, output: 0, contentKey: false },
      ...(script.kind === 'file' ? [scriptMount(script.name, script.content, inputs)] : []),
      ...mounts.mounts,
    ],
    secretEnv: mounts.secretEnv,
    platform: platformOfStage(context),
    ...(devices.length > 0 && { devices: devices.map(({ name, required }) => ({ name, optional: !required })) }),
  }
  stage.tree = stepTree(op, inputs.trees, stepMeta(context, name))
  const command = [...argumentTexts(context), ...args].join(' ')
  const classic = [...classicArgumentTexts(context), ...args].join(' ')
  note(context, { text: `RUN ${command}`, classic, kind: 'command', hasLayer: true })
}

/** With the socket of the step's first agent, unless the stage says another. */
function variablesOf({ stage: { variables } }: InstructionContext, { mounts }: RunMounts): readonly string[] {
  const agent = mounts.find(({ type }) => type === 'ssh')
  if (agent === undefined || variables.get('SSH_AUTH_SOCK') !== undefined) return variables.entries()
  return [...variables.entries(), `SSH_AUTH_SOCK=${agent.target}`]
}

/** Where BuildKit puts scripts, too: nothing of an image is there. */
const SCRIPT_DIRECTORY = '/dev/pipes'

function scriptMount(name: string, content: string, inputs: Inputs): ExecOp['mounts'][number] {
  const op: FileOp = {
    kind: 'file',
    actions: [{ action: 'mkfile', input: -1, output: 0, path: `/${name}`, mode: 0o755, data: Buffer.from(content) }],
  }
  const input = inputs.index(stepTree(op, [], { name: '[internal] preparing inline document' }))
  return { type: 'bind', target: SCRIPT_DIRECTORY, input, selector: '', readonly: true, output: -1, contentKey: true }
}

/** `RUN <<EOF (first line...)`. Variables that come from secrets are shown as stars. */
function runText(
  { source: written }: RunInstruction,
  summary: string | undefined,
  secrets: ExecOp['secretEnv'],
  { stage, conversion }: InstructionContext,
): string {
  const shown = secrets.length > 0 ? stage.variables.copy() : stage.variables
  for (const { name } of secrets) shown.set(name, '****')
  const source = summary === undefined ? written : `${written} (${summary})`
  return displayText(source, shown, { escape: conversion.definition.dockerfile.escape, effort: conversion.effort }, 'command')
}

/** `|2 A=1 B=2`: arguments so far, in front of a command. */
function argumentTexts({ stage }: InstructionContext): string[] {
  return counted([...stage.arguments].map(([name, value]) => `${name}=${stage.variables.get(name) ?? value ?? ''}`))
}

/** The classic builder sorted them, and had those only that have a value and are no variables of the image. */
function classicArgumentTexts({ stage: { arguments: names, variables, image } }: InstructionContext): string[] {
  const given = [...names.keys()].filter((name) => {
    const value = variables.get(name)
    return value !== undefined && value !== image.environment.get(name)
  })
  return counted(given.map((name) => `${name}=${variables.get(name)}`).sort())
}

function counted(texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [`|${texts.length}`, ...texts]
}
