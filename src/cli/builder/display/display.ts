import type { BuildUpdate } from '#client'

/** Shows a build while it goes on. */
export interface BuildDisplay {
  update(update: BuildUpdate): void
  /** The build is over: what is left is shown, and timers end. `failed`: the end of the failed step's output is shown once more. */
  end(failed: boolean): void
}
