import { invalidArgument } from '#errors'
import type { StageState } from './stage-state.ts'

/** Each may begin with all that another one has; each image is asked for in its registry. */
const MAX_STAGES = 1000

/** All stages in order, with the images and contexts behind them that only `--from` names. */
export class StageList {
  readonly all: StageState[] = []
  readonly #byName = new Map<string, StageState>()
  readonly #images = new Map<string, StageState>()

  /** Throws INVALID_ARGUMENT when there are too many. */
  add(stage: StageState): void {
    if (this.all.length >= MAX_STAGES) throw invalidArgument(`more than ${MAX_STAGES} stages`)
    this.all.push(stage)
    if (stage.name !== undefined) this.#byName.set(stage.name, stage)
    if (stage.from === undefined) this.#images.set(stage.baseName, stage)
  }

  /** The last one of this name. */
  named(name: string): StageState | undefined {
    return this.#byName.get(name.toLowerCase())
  }

  /** An image or context that only `--from` names, as it names it. */
  image(name: string): StageState | undefined {
    return this.#images.get(name)
  }

  /** Throws INVALID_ARGUMENT. */
  at(index: number): StageState {
    const stage = this.all[index]
    if (stage?.from === undefined) throw invalidArgument(`invalid stage index ${index}`)
    return stage
  }

  /** For suggestions. */
  names(): string[] {
    return [...this.#byName.keys()]
  }
}

/** `target` and all that it needs, itself included. */
export function reachableFrom(target: StageState): Set<StageState> {
  const reached = new Set<StageState>()
  const pending = [target]
  for (let stage = pending.pop(); stage !== undefined; stage = pending.pop()) {
    if (reached.has(stage)) continue
    reached.add(stage)
    pending.push(...stage.dependencies.keys(), ...(stage.base === undefined ? [] : [stage.base]))
  }
  return reached
}
