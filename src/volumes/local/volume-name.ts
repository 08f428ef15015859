import { invalidArgument } from '#errors'

/** The name becomes a directory: nothing that could lead out of the volumes' own, or that starts with a dot. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

export function isVolumeName(name: string): boolean {
  return NAME.test(name)
}

/** Throws INVALID_ARGUMENT with Docker's texts. Source: moby daemon/volume/local/local.go, validateName. */
export function verifyVolumeName(name: string): void {
  if (name.length === 1) {
    throw invalidArgument(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`)
  }
  if (!isVolumeName(name)) {
    throw invalidArgument(
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  }
}
