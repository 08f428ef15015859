import { expandWord } from '#dockerfile'
import type { Dockerfile, Effort } from '#dockerfile'
import type { SourceFile } from '../graph/types.ts'
import type { Environment } from './environment.ts'
import { withPlace } from './errors.ts'
import type { ArgumentNote } from './outline-notes.ts'

export interface GlobalArguments {
  /** Automatic arguments, and those of ARG in front of the first FROM. */
  readonly variables: Environment
  readonly notes: ReadonlyMap<string, ArgumentNote>
}

/** Reads ARG instructions in front of the first FROM. Source: moby/buildkit dockerfile2llb/convert.go, buildMetaArgs. */
export function globalArguments(
  dockerfile: Dockerfile,
  file: SourceFile,
  automatic: Environment,
  buildArgs: ReadonlyMap<string, string>,
  effort: Effort,
): GlobalArguments {
  const variables = automatic.copy()
  const notes = new Map<string, ArgumentNote>()
  for (const { args, range } of dockerfile.globalArgs) {
    for (const definition of args) {
      const { name, value: written } = definition
      const given = buildArgs.get(name)
      const expansion =
        given !== undefined || written === undefined
          ? undefined
          : withPlace(file, () => expandWord(written, variables, { escape: dockerfile.escape, effort }), range)
      const value = given ?? expansion?.text
      if (value !== undefined) variables.set(name, value)
      notes.set(name, { definition, value: value ?? '', uses: usesOf(name, expansion?.used, notes.get(name)), range })
    }
  }
  return { variables, notes }
}

/** `ARG A=$A-$B` uses what the A before it did. */
function usesOf(name: string, used: ReadonlySet<string> | undefined, previous: ArgumentNote | undefined): ReadonlySet<string> {
  const uses = new Set(used)
  if (uses.delete(name)) for (const other of previous?.uses ?? []) uses.add(other)
  return uses
}
