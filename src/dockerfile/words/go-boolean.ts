import { DockerfileError } from '../dockerfile-error.ts'

/** A value as Go's strconv.ParseBool reads it. */
export function parseGoBoolean(key: string, value: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
  throw new DockerfileError(`invalid value for ${key}: ${value}`)
}
