import { randomUUID } from 'node:crypto'
import { UserDirectory } from '#containers'
import { internal, invalidArgument } from '#errors'
import type { Files } from '#kernel'
import type { ChainId, DraftLayers, JobRunner, Snapshotter } from '#snapshots'
import { SCRATCH } from '../graph/ref.ts'
import type { LayerRef, Ref } from '../graph/ref.ts'
import type { FileAction, FileOp, InputIndex } from '../graph/types.ts'
import type { Step, StepRunner } from '../types.ts'
import type { PreparedAction } from './actions.ts'
import { performAction } from './file-tasks.ts'
import { copyDirectory } from './layers-from.ts'
import { isLight } from './light-actions.ts'
import { openRef } from './open-ref.ts'
import { ownerIds } from './owner-ids.ts'

export interface FileRunnerDeps {
  snapshotter: DraftLayers & Pick<Snapshotter, 'layerPaths' | 'overlay' | 'remove' | 'view'>
  files: Files
  jobs: JobRunner
}

/** What an input or an action has given: a file system that is done, or one that only the next action goes on with. */
type State = { readonly ref: Ref } | { readonly layer: OpenLayer }

interface OpenLayer {
  key: string
  mount: ReturnType<DraftLayers['mountStep']>
}

/**
 * Runs FileOps: copies, and the making and removing of single files. Actions that follow each other write to one layer; only what is a result, or is wanted
 * twice, becomes one. What takes long goes on in a worker thread, on descriptors of this process.
 */
export function createFileRunner(deps: FileRunnerDeps): StepRunner {
  const users = new UserDirectory(deps.files, deps.snapshotter)
  return {
    async run(inputs, step) {
      await using steps = createFileSteps(deps, users, inputs, step)
      return await steps.results()
    },
  }
}

/** One run. Disposing takes away the layers that have become nobody's result. */
function createFileSteps(
  deps: FileRunnerDeps,
  users: UserDirectory,
  inputs: readonly Ref[],
  step: Step,
): AsyncDisposable & { results: () => Promise<LayerRef[]> } {
  const { snapshotter } = deps
  const { actions } = step.vertex.op as FileOp
  const states = new Map<number, Promise<State>>()
  const open = new Set<OpenLayer>()
  const uses = countUses(actions, inputs.length)

  async function begin(ref: Ref): Promise<OpenLayer> {
    const key = `build-${randomUUID()}`
    await snapshotter.prepareStep(key, ref.kind === 'layers' ? ref.chain : undefined, { bare: true })
    const layer = { key, mount: mountOrRemove(key) }
    open.add(layer)
    if (ref.kind === 'directory') await copyDirectory(deps, ref.path, layer.mount.fd, step.signal)
    return layer
  }

  function mountOrRemove(key: string): OpenLayer['mount'] {
    try {
      return snapshotter.mountStep(key)
    } catch (error) {
      void snapshotter.remove(key)
      throw error
    }
  }

  async function commit(layer: OpenLayer): Promise<ChainId | undefined> {
    step.signal.throwIfAborted() // a worker may have been too far on to stop
    layer.mount[Symbol.dispose]()
    const chain = await snapshotter.commitStep(layer.key, step.lease)
    open.delete(layer)
    return chain
  }

  /** What an index of an action means; each is made true once. `way`: actions that wait for it. */
  function stateOf(index: InputIndex, way: readonly number[]): Promise<State> {
    if (index === -1) return Promise.resolve({ ref: SCRATCH })
    const input = inputs[index]
    if (input !== undefined) return Promise.resolve({ ref: input })
    if (way.includes(index)) throw invalidArgument(`loop from index ${index}`)
    const known = states.get(index) ?? run(index, [...way, index])
    states.set(index, known)
    return known
  }

  async function run(index: number, way: readonly number[]): Promise<State> {
    const action = actions[index - inputs.length]
    if (action === undefined) throw invalidArgument(`invalid input index ${index}, ${inputs.length + actions.length} provided`)
    const base = await stateOf(action.input, way)
    const source = action.action === 'copy' ? await stateOf(action.from, way) : undefined
    step.signal.throwIfAborted()
    const layer = 'layer' in base ? base.layer : await begin(base.ref)
    const owner = action.action === 'rm' ? undefined : ownerIds(action.owner, () => users.ofRoot(layer.mount.fd))
    const goesOn = uses.get(index) === 1 && action.output === -1
    await perform(layer.mount, { ...action, owner, fromFd: -1 } as PreparedAction, source, goesOn)
    if (goesOn) return { layer }
    return { ref: { kind: 'layers', chain: await commit(layer) } }
  }

  async function perform(to: OpenLayer['mount'], action: PreparedAction, source: State | undefined, goesOn: boolean): Promise<void> {
    using from = await openSource(source)
    const prepared = { ...action, fromFd: from.fd }
    // What was put below overlayfs, it need not show: only the last action may do that.
    const input = { rootFd: to.fd, action: prepared, ...(to.upperFd !== undefined && !goesOn && { upperFd: to.upperFd }) }
    if (isLight(prepared)) await performAction(deps.files, input, step.signal)
    else await deps.jobs.run({ kind: 'task', task: 'build-file-action', input }, { signal: step.signal })
  }

  /** What is read from; of an action that reads nothing -1. */
  async function openSource(source: State | undefined): Promise<Disposable & { fd: number }> {
    if (source === undefined) return borrowed(-1)
    if ('layer' in source) return borrowed(source.layer.mount.fd)
    return openRef(deps, source.ref) ?? borrowed((await begin(SCRATCH)).mount.fd)
  }

  return {
    async results() {
      const outputs = outputsOf(actions)
      const results: LayerRef[] = []
      for (const index of outputs) {
        const state = await stateOf(inputs.length + index, [])
        if (!('ref' in state) || state.ref.kind !== 'layers')
          throw internal(`Cannot give the output of action ${index}: it was not committed`)
        results.push(state.ref)
      }
      return results
    },
    async [Symbol.asyncDispose]() {
      for (const { key, mount } of open) {
        mount[Symbol.dispose]()
        await snapshotter.remove(key)
      }
    },
  }
}

/** Somebody else closes it. */
function borrowed(fd: number): Disposable & { fd: number } {
  return { fd, [Symbol.dispose]() {} }
}

/** How often actions and results name what an action leaves. */
function countUses(actions: readonly FileAction[], inputs: number): Map<number, number> {
  const uses = new Map<number, number>()
  const count = (index: number): void => void uses.set(index, (uses.get(index) ?? 0) + 1)
  for (const [index, action] of actions.entries()) {
    count(action.input)
    if (action.action === 'copy') count(action.from)
    if (action.output !== -1) count(inputs + index)
  }
  return uses
}

/** Indices of the actions that give the results, in order of these. Throws INVALID_ARGUMENT with BuildKit's words. */
function outputsOf(actions: readonly FileAction[]): number[] {
  const outputs: number[] = []
  for (const [index, { output }] of actions.entries()) {
    if (output === -1) continue
    if (outputs[output] !== undefined) throw invalidArgument(`duplicate output ${output}`)
    outputs[output] = index
  }
  if (outputs.length === 0) throw invalidArgument('no outputs specified')
  const missing = outputs.findIndex((index) => index === undefined)
  if (missing >= 0) throw invalidArgument(`missing output index ${missing}`)
  return outputs
}
