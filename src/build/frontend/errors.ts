import { DockerfileError } from '#dockerfile'
import type { TextRange } from '#dockerfile'
import { BuildError } from '../build-error.ts'
import type { SourceFile, SourceRange } from '../graph/types.ts'

/** Lines of `range` in `file`. */
export function sourceRange(file: SourceFile, range: TextRange): SourceRange {
  return { file, start: range.start.line, end: range.end.line }
}

/** Does `work`; an error gets the place it is about: its own where it has one, else `range`. */
export function withPlace<T>(file: SourceFile, work: () => T, range?: TextRange): T {
  try {
    return work()
  } catch (error) {
    throw placed(error, file, range)
  }
}

export async function withPlaceAsync<T>(file: SourceFile, work: () => Promise<T>, range?: TextRange): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw placed(error, file, range)
  }
}

function placed(error: unknown, file: SourceFile, range: TextRange | undefined): BuildError {
  const place = (error instanceof DockerfileError ? error.range : undefined) ?? range
  return BuildError.from(error, place === undefined ? {} : { source: sourceRange(file, place) })
}
