import type { ArgDefinition, TextRange } from '#dockerfile'

/** What a stage can be given from outside, collected for `frontend.outline`. */
export interface OutlineNotes {
  readonly arguments: Map<string, ArgumentNote>
  /** Names of arguments that something depends on. */
  readonly used: Set<string>
  readonly secrets: Map<string, ClientNote>
  readonly agents: Map<string, ClientNote>
}

export interface ArgumentNote {
  readonly definition: ArgDefinition
  readonly value: string
  /** Other arguments in its default. */
  readonly uses: ReadonlySet<string>
  readonly range: TextRange
}

/** A secret or an SSH agent. */
export interface ClientNote {
  readonly required: boolean
  readonly range: TextRange
}

export function newOutlineNotes(base?: Partial<OutlineNotes>): OutlineNotes {
  return {
    arguments: new Map(base?.arguments),
    used: new Set(base?.used),
    secrets: new Map(base?.secrets),
    agents: new Map(base?.agents),
  }
}
