/** Images on the move: pull, push, import, load, save. */

import { MEDIA_TYPES, type WirePlatform } from '#api'
import { codeOf, internal, invalidArgument } from '#errors'
import type { ImageService } from '#images'
import { parseReference } from '#oci'
import type { ApiServerDeps } from '../backend.ts'
import { checkPlatformText, parsePlatformJson } from '../decode/platform.ts'
import { registryCredentials, registryHeaders } from '../decode/registry-auth.ts'
import { parsePullReference, parseRepoTag } from '../decode/repository.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'
import { sendStream } from '../streams/send-stream.ts'
import { encodeMessage } from '../wire/progress-message.ts'

export function imageTransferRoutes({ images }: Pick<ApiServerDeps, 'images'>): Route[] {
  return [
    {
      method: 'POST',
      path: '/images/create',
      summary: 'Pull an image, or import one',
      handle: (context) => (context.query.text('fromImage') === '' ? importImage(images, context) : pullImage(images, context)),
    },
    {
      method: 'POST',
      path: '/images/load',
      summary: 'Load images from an archive',
      async handle(context) {
        const platforms = platformList(context)
        await context.streamProgress(async (report) => {
          await images.load(context.body, {
            quiet: context.query.bool('quiet', true),
            signal: context.signal,
            report: (message) => report(encodeMessage(message)),
            ...(platforms.length === 0 ? {} : { platforms }),
          })
        })
      },
    },
    {
      method: 'GET',
      path: '/images/get',
      summary: 'Save images as an archive',
      handle: (context) => saveImages(images, context, context.query.all('names')),
    },
    {
      method: 'GET',
      path: '/images/{name*}/get',
      summary: 'Save an image as an archive',
      handle: (context) => saveImages(images, context, [context.param('name')]),
    },
    {
      method: 'POST',
      path: '/images/{name*}/push',
      summary: 'Push an image',
      handle: (context) => pushImage(images, context),
    },
  ]
}

/** What pull and push tell a registry of their client. */
function registryOptions({
  request,
  signal,
}: RequestContext): Pick<Parameters<ImageService['pull']>[0], 'credentials' | 'headers' | 'signal'> {
  const credentials = registryCredentials(request.headers)
  return { headers: registryHeaders(request.headers), signal, ...(credentials === undefined ? {} : { credentials }) }
}

async function pullImage(images: ImageService, context: RequestContext): Promise<void> {
  const { query } = context
  const platform = platformText(context)
  const reference = parsePullReference(query.text('fromImage'), query.text('tag'))
  await context.streamProgress(async (report) => {
    try {
      await images.pull({
        reference,
        ...registryOptions(context),
        ...(platform === '' ? {} : { platform }),
        report: (message) => report(encodeMessage(message)),
      })
    } catch (error) {
      // Not 401: dockerd never answers a pull so, and the docker CLI would ask for a password on the terminal, or wait for one from a pipe for ever.
      throw codeOf(error) === 'UNAUTHORIZED' ? internal((error as Error).message, error) : error
    }
  })
}

async function pushImage(images: ImageService, context: RequestContext): Promise<void> {
  const { query, version } = context
  const tag = query.text('tag')
  const name = context.param('name')
  const reference = tag === '' ? parseReference(name) : parseRepoTag(name, tag)
  // Older clients sent one that nobody looked at.
  const platform = version >= 46 ? query.text('platform') : ''
  const options = platform === '' ? {} : { platform: parsePlatformJson(platform) }
  await context.streamProgress((report) =>
    images.push({ reference, ...registryOptions(context), ...options, report: (message) => report(encodeMessage(message)) }),
  )
}

async function importImage(images: ImageService, context: RequestContext): Promise<void> {
  const { query, signal } = context
  const source = query.text('fromSrc')
  const platform = platformText(context)
  const repo = query.text('repo')
  if (repo !== '') parseRepoTag(repo, query.text('tag'))
  await context.streamProgress(async (report) => {
    const options: Parameters<ImageService['import']>[1] = {
      repo,
      tag: query.text('tag'),
      message: query.text('message') || `Imported from ${withoutPassword(source)}`,
      changes: query.all('changes'),
      signal,
      report: (message) => report(encodeMessage(message)),
      ...(platform === '' ? {} : { platform }),
    }
    const image = source === '-' ? await images.import(context.body, options) : await images.importFrom(source, options)
    report({ status: image.id })
  })
}

/** What an image says of itself goes with it to everybody. */
function withoutPassword(source: string): string {
  if (!URL.canParse(source)) return source
  const url = new URL(source)
  if (url.password === '') return source
  url.password = 'xxxxx'
  return url.href
}

async function saveImages(images: ImageService, context: RequestContext, names: string[]): Promise<void> {
  const platforms = platformList(context)
  if (names.length === 0) throw invalidArgument('image name cannot be blank')
  await sendStream(context, images.save(names, platforms.length === 0 ? {} : { platforms }), MEDIA_TYPES.tar)
}

function platformText({ query, version }: RequestContext): string {
  const platform = version >= 32 ? query.text('platform') : ''
  return platform === '' ? '' : checkPlatformText(platform)
}

/** Platforms to load or save: one from API 1.48 on, several from 1.52 on. */
function platformList({ query, version }: RequestContext): WirePlatform[] {
  const platforms = version >= 48 ? query.all('platform') : []
  if (version < 52 && platforms.length > 1)
    throw invalidArgument('multiple platform parameters are not supported in this API version; use API version 1.52 or later')
  return platforms.map(parsePlatformJson)
}
