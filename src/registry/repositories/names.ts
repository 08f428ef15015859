/** Grammar of names and tags. Source: distribution-spec v1.1, "Pulling manifests". */

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
/** Many clients limit host and name together to 255 characters; the registry limits the name. */
const MAX_NAME_LENGTH = 255

export function isRepositoryName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && NAME.test(text)
}

export function isTag(text: string): boolean {
  return TAG.test(text)
}
