import { splitCsvLine } from '#lib'
import { DockerfileError } from '../dockerfile-error.ts'

/** The fields of a flag's value. `what` goes into errors: `mounts`. Throws {@link DockerfileError} without range. */
export function parseCsvRecord(text: string, what: string): string[] {
  try {
    return splitCsvLine(text)
  } catch (error) {
    throw new DockerfileError(`failed to parse csv ${what}: ${(error as Error).message}`, undefined, { cause: error })
  }
}
