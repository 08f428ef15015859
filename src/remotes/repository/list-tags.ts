import { invalidArgument } from '#errors'
import { parseTag } from '#oci'
import { registryError } from '../session/registry-error.ts'
import { MAX_PAGES, nextPage, readPage } from './pages.ts'
import { onHosts, repositoryScope } from './repository-context.ts'
import type { RepositoryContext } from './repository-context.ts'

/** All tags, page by page, from one host. */
export async function* listTags(context: RepositoryContext, signal: AbortSignal | undefined): AsyncGenerator<string, void, void> {
  const { path } = context.name
  const first = await onHosts(context, 'resolve', signal, async (session, signal) => {
    const read = async (page: string | URL): Promise<{ tags: string[]; next: URL | undefined }> => {
      const response = await session.send({ method: 'GET', path: page, scopes: [repositoryScope(path, 'pull')], signal })
      if (response.status !== 200) throw await registryError(response)
      return { tags: tagsOf(await readPage(response)), next: nextPage(response) }
    }
    return { page: await read(`/${path}/tags/list`), read }
  })
  let { page } = first
  for (let count = 1; ; count++) {
    yield* page.tags
    if (page.next === undefined) return
    if (count >= MAX_PAGES) throw invalidArgument(`the list of tags of ${path} does not end`)
    page = await first.read(page.next)
  }
}

/** Null is none: so some registries answer for a repository without any. What is no tag may not become part of a path, or of what users read. */
function tagsOf({ tags }: Record<string, unknown>): string[] {
  if (tags === null || tags === undefined) return []
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw invalidArgument('the registry answers with tags that are no list')
  return tags.map(parseTag)
}
