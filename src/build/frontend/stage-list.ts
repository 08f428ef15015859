import { invalidArgument } from '#errors'
import type { StageState } from './stage-state.ts'

/** All stages in order, with the images and contexts behind them that only `--from` names. */
export class StageList {
  readonly all: StageState[] = []
  readonly #byName = new Map<string, StageState>()

  add(stage: StageState): void {
    this.all.push(stage)
    if (stage.name !== undefined) this.#byName.set(stage.name, stage)
  }

  /** The last one of this name. */
  named(name: string): StageState | undefined {
    return this.#byName.get(name.toLowerCase())
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
