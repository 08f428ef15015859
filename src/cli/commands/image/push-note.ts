/** What the daemon adds to the progress of a push. Source: moby `api/types/auxprogress`. */
interface PushAux {
  manifestPushedInsteadOfIndex?: boolean
  originalIndex?: { digest?: string }
  selectedManifest?: { digest?: string }
  contentMissing?: boolean
}

/** Docker's own words, with the blanks it has in them. */
const CONTENT_MISSING = `You're trying to push a manifest list/index which 
				references multiple platform specific manifests, but not all of them are available locally
				or available to the remote repository.

				Make sure you have all the referenced content and try again.

				You can also push only a single platform specific manifest directly by specifying the platform you want to push with the --platform flag.`

/** The remarks that the user gets to see at the end of a push; one at most. */
export function pushNote(aux: unknown): string[] {
  const { manifestPushedInsteadOfIndex, originalIndex, selectedManifest, contentMissing } = (aux ?? {}) as PushAux
  if (manifestPushedInsteadOfIndex === true) {
    const [index, manifest] = [originalIndex?.digest ?? '', selectedManifest?.digest ?? '']
    return [
      `Not all multiplatform-content is present and only the available single-platform image was pushed\n\x1b[31m${index}\x1b[0m -> \x1b[32m${manifest}\x1b[0m`,
    ]
  }
  return contentMissing === true ? [CONTENT_MISSING] : []
}
