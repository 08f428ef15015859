import { posix } from 'node:path'
import { parseMount } from '#dockerfile'
import type { BindMount, CacheMount, Mount as WrittenMount, SecretMount, SshMount } from '#dockerfile'
import { invalidArgument } from '#errors'
import type { ExecOp, Mount, SecretEnv } from '../../graph/types.ts'
import { rooted } from '../context/paths.ts'
import type { StageState } from '../stage-state.ts'
import type { Inputs } from '../tree.ts'
import { expandText } from './instruction-context.ts'
import type { InstructionContext } from './instruction-context.ts'
import { joinDirectory } from './workdir.ts'

/** Mounts of one RUN, beside its root. */
export interface RunMounts {
  readonly mounts: readonly Mount[]
  readonly secretEnv: ExecOp['secretEnv']
}

/** Reads `--mount` flags; what they mount is added to `inputs`. Source: moby/buildkit dockerfile2llb/convert_runmount.go, convert_secrets.go, convert_ssh.go. */
export function createRunMounts(flags: readonly string[], inputs: Inputs, context: InstructionContext): RunMounts {
  const mounts: Mount[] = []
  const secretEnv: SecretEnv[] = []
  for (const [position, flag] of flags.entries()) {
    const written = parseMount(flag, (value) => expandText(value, context))
    const source = context.command.sources[position]
    if (written.type === 'secret') addSecret(written, mounts, secretEnv, context)
    else mounts.push(createMount(written, source, mounts, inputs, context))
  }
  return { mounts, secretEnv }
}

function createMount(
  written: Exclude<WrittenMount, SecretMount>,
  source: StageState | undefined,
  before: readonly Mount[],
  inputs: Inputs,
  context: InstructionContext,
): Mount {
  switch (written.type) {
    case 'bind':
      return bindMount(written, source, inputs, context)
    case 'cache':
      return cacheMount(written, source, inputs, context)
    case 'tmpfs':
      return { type: 'tmpfs', target: requireTarget(written.target, context), size: written.size }
    case 'ssh':
      return agentMount(written, before.filter(({ type }) => type === 'ssh').length, context)
  }
}

function bindMount(written: BindMount, source: StageState | undefined, inputs: Inputs, context: InstructionContext): Mount {
  const { conversion } = context
  const selector = selectorOf(written.source)
  if (source !== undefined) requireDone(source, written)
  const paths = source === undefined ? conversion.contextPaths : source.paths
  paths.add(rooted(selector))
  return {
    type: 'bind',
    target: requireTarget(written.target, context),
    input: inputs.index(source === undefined ? conversion.context : source.tree),
    selector,
    readonly: written.readonly,
    output: -1,
    contentKey: true,
  }
}

function cacheMount(written: CacheMount, source: StageState | undefined, inputs: Inputs, context: InstructionContext): Mount {
  const { cacheNamespace } = context.conversion.options
  const target = requireTarget(written.target, context)
  const selector = selectorOf(written.source)
  if (source !== undefined) {
    requireDone(source, written)
    source.paths.add(rooted(selector))
  }
  // `/cache/` is the same one as `/cache`.
  const id = written.id ?? posix.join(written.target ?? '').replace(/(.)\/$/, '$1')
  return {
    type: 'cache',
    target,
    id: cacheNamespace === '' ? id : `${cacheNamespace}/${id}`,
    sharing: written.sharing,
    readonly: written.readonly,
    input: inputs.index(source?.tree),
    selector,
    mode: written.mode ?? 0o755,
    uid: written.uid ?? 0,
    gid: written.gid ?? 0,
  }
}

/** A file, a variable, or both. Without a target a file is in /run/secrets. */
function addSecret(written: SecretMount, mounts: Mount[], secretEnv: SecretEnv[], context: InstructionContext): void {
  const { id, env, required, target } = written
  const range = context.command.instruction.range
  const { secrets } = context.stage.outline
  if (!secrets.has(id)) secrets.set(id, { required, range })
  if (env !== undefined) secretEnv.push({ id, name: env, optional: !required })
  if (env !== undefined && target === undefined) return
  mounts.push({
    type: 'secret',
    target: absolute(target ?? `/run/secrets/${posix.basename(id)}`, context),
    id,
    optional: !required,
    mode: written.mode ?? 0o400,
    uid: written.uid ?? 0,
    gid: written.gid ?? 0,
  })
}

/** The socket of an SSH agent; `position` tells it from others of the step. */
function agentMount(written: SshMount, position: number, context: InstructionContext): Mount {
  const { id } = written
  const { agents } = context.stage.outline
  if (!agents.has(id)) agents.set(id, { required: written.required, range: context.command.instruction.range })
  return {
    type: 'ssh',
    target: absolute(written.target ?? `/run/buildkit/ssh_agent.${position}`, context),
    id,
    optional: !written.required,
    mode: written.mode ?? 0o600,
    uid: written.uid ?? 0,
    gid: written.gid ?? 0,
  }
}

function requireDone(source: StageState, { from, target }: BindMount | CacheMount): void {
  if (source.phase === 'done') return
  throw invalidArgument(
    `cannot mount from stage ${JSON.stringify(from)} to ${JSON.stringify(target)}, stage needs to be defined before current command`,
  )
}

function requireTarget(target: string | undefined, context: InstructionContext): string {
  const path = absolute(target ?? '', context)
  if (target === undefined || path === '/') throw invalidArgument(`invalid mount target ${JSON.stringify(target ?? '')}`)
  return path
}

function absolute(path: string, { stage }: InstructionContext): string {
  return joinDirectory(stage.image.config.WorkingDir ?? '/', path)
}

/** Empty for all of it. */
function selectorOf(source: string | undefined): string {
  const path = rooted(source ?? '')
  return path === '/' ? '' : path
}
