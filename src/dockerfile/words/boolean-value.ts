import { parseGoBoolean } from '#lib'
import { DockerfileError } from '../dockerfile-error.ts'

/** The value of `key`, as Go reads it. Throws {@link DockerfileError} without range. */
export function booleanValue(key: string, value: string): boolean {
  try {
    return parseGoBoolean(value)
  } catch (error) {
    throw new DockerfileError(`invalid value for ${key}: ${value}`, undefined, { cause: error })
  }
}
