/** Files in and out of containers: `/containers/{id}/archive` and `/export`. */

import { MEDIA_TYPES, type ContainerPathStat } from '#api'
import type { ContainerService, PathStat } from '#containers'
import { invalidArgument } from '#errors'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'
import { sendStream } from '../streams/send-stream.ts'

export function archiveRoutes({ containers }: { containers: ContainerService }): Route[] {
  return [
    {
      method: 'HEAD',
      path: '/containers/{name*}/archive',
      summary: 'What is at a path of a container',
      async handle(context) {
        const stat = await containers.statPath(context.param('name'), pathOf(context))
        context.empty(200, statHeader(stat))
      },
    },
    {
      method: 'GET',
      path: '/containers/{name*}/archive',
      summary: 'Read a path of a container as a tar archive',
      async handle(context) {
        const { stat, tar } = await containers.readArchive(context.param('name'), pathOf(context))
        await sendStream(context, tar, MEDIA_TYPES.tar, { headers: statHeader(stat), compress: true })
      },
    },
    {
      method: 'PUT',
      path: '/containers/{name*}/archive',
      summary: 'Unpack a tar archive at a path of a container',
      async handle(context) {
        const { query } = context
        await containers.writeArchive(context.param('name'), pathOf(context), context.body, {
          noOverwriteDirNonDir: query.bool('noOverwriteDirNonDir'),
          copyUidGid: query.bool('copyUIDGID'),
        })
        context.empty(200)
      },
    },
    {
      method: 'GET',
      path: '/containers/{name*}/export',
      summary: 'The file system of a container as a tar archive',
      async handle(context) {
        await sendStream(context, await containers.export(context.param('name')), 'application/octet-stream')
      },
    },
  ]
}

function pathOf(context: RequestContext): string {
  const path = context.query.text('path')
  if (path === '') throw invalidArgument('bad parameter: path cannot be empty')
  return path
}

function statHeader(stat: PathStat): Record<string, string> {
  const wire: ContainerPathStat = { name: stat.name, size: stat.size, mode: stat.mode, mtime: stat.mtime, linkTarget: stat.linkTarget }
  return { 'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(wire)).toString('base64') }
}
