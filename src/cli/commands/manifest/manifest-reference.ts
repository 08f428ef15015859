import { parseReference, withDefaultTag, type Reference } from '#oci'

/** A name of an image or a list, with `:latest` where nothing else is said. Throws Error; `context` begins its text. */
export function manifestReference(text: string, context = ''): Reference {
  try {
    return withDefaultTag(parseReference(text))
  } catch (error) {
    throw context === '' ? error : new Error(`${context} ${text}: ${(error as Error).message}`, { cause: error })
  }
}
