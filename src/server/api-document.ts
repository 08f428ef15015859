/**
 * `docs/generated/api.md`, written from the route table so that it cannot say anything else than the code. A diff in it is a change of the
 * API. `node tools/gen-api-document.ts` writes it; a test fails while it is stale.
 */

import { formatVersion, MAX_API_VERSION, MIN_API_VERSION } from '#api'
import type { ApiServerDeps } from './backend.ts'
import type { Route } from './route.ts'
import { displayPath } from './router.ts'
import { createRoutes } from './routes.ts'

/** The routes bound to nothing: making the table calls no service. */
export function allRoutes(): Route[] {
  return createRoutes({} as ApiServerDeps, MIN_API_VERSION)
}

/** Where the file lies, from the root of the repository. */
export const API_DOCUMENT_PATH = 'docs/generated/api.md'

export function renderApiDocument(routes: readonly Route[] = allRoutes()): string {
  const groups = Map.groupBy(routes, (route) => route.path.split('/')[1] ?? '')
  const served = routes.filter((route) => route.refused !== true).length
  const sections = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, members]) => {
      const rows = members.toSorted(byPath).map(row)
      return `## /${group}\n\n| Method | Path | Since | What |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
    })
  return [
    '# Engine API\n',
    'Written by `node tools/gen-api-document.ts` from the route table in `src/server/`; do not edit.\n',
    `Versions ${formatVersion(MIN_API_VERSION)} to ${formatVersion(MAX_API_VERSION)}. Every path is served below \`/v1.x\` and bare (newest version).`,
    `${routes.length} routes: ${served} served, ${routes.length - served} refused with a message that names what is missing (marked ✗).\n`,
    ...sections,
  ].join('\n')
}

function row(route: Route): string {
  const since = route.since === undefined ? '' : formatVersion(route.since)
  const notes = [route.refused === true ? '✗ ' : '', route.summary, 'hijack' in route ? ' (hijacks the connection)' : '']
  return `| ${route.method} | \`${displayPath(route.path)}\` | ${since} | ${notes.join('')} |`
}

function byPath(a: Route, b: Route): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return a.method < b.method ? -1 : 1
}
