/** `/images`. Pull, push and search wait for the registry client. */

import { MEDIA_TYPES } from '#api'
import { invalidArgument, notImplemented } from '#errors'
import type { ImageFilters, ImageService, ProgressMessage } from '#images'
import type { ApiServerDeps } from '../backend.ts'
import { booleanFilter, parseFilters, untilFilter, type Filters } from '../decode/filters.ts'
import { checkPlatformText, parsePlatformJson } from '../decode/platform.ts'
import type { Query } from '../decode/query.ts'
import type { RequestContext } from '../request-context.ts'
import { refusedRoute, type Route } from '../route.ts'
import { sendStream } from '../streams/send-stream.ts'
import { encodeDeleteResult, encodeHistory, encodeImageInspect, encodeImageSummary } from '../wire/image.ts'
import { countUsers } from './disk-usage.ts'

const LIST_FILTERS = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until']
const PRUNE_FILTERS = ['dangling', 'label', 'label!', 'until']

export function imageRoutes({ images, containers }: Pick<ApiServerDeps, 'images' | 'containers'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/images/json',
      summary: 'List images',
      async handle(context) {
        const { query, version } = context
        const filters = parseFilters(query.text('filters'), LIST_FILTERS)
        // Up to 1.24 the reference was a parameter of its own.
        if (version < 25 && query.text('filter') !== '') filters['reference'] = [query.text('filter')]
        const list = images.list({ all: query.bool('all'), filters: imageFilters(filters) })
        const users = version >= 51 ? await countUsers(containers) : new Map<string, number>()
        const withSharedSize = version >= 42 && query.bool('shared-size')
        context.json(
          200,
          list.map((image) =>
            encodeImageSummary(image, version, {
              containers: users.get(image.id) ?? 0,
              sharedSize: withSharedSize ? images.sharedSize(image.id) : -1,
            }),
          ),
        )
      },
    },
    {
      method: 'POST',
      path: '/images/create',
      summary: 'Import an image (pulling is not there yet)',
      handle: (context) => importImage(images, context),
    },
    {
      method: 'POST',
      path: '/images/load',
      summary: 'Load images from an archive',
      async handle(context) {
        const { query, version } = context
        if (version >= 48) refusePlatforms(query, 'loading')
        await context.streamProgress(async (report) => {
          await images.load(context.body, {
            quiet: query.bool('quiet', true),
            signal: context.signal,
            report: (message) => report(encodeMessage(message)),
          })
        })
      },
    },
    {
      method: 'POST',
      path: '/images/prune',
      since: 25,
      summary: 'Delete unused images',
      async handle(context) {
        const filters = parseFilters(context.query.text('filters'), PRUNE_FILTERS)
        const { deleted, reclaimed } = await images.prune({ dangling: true, ...imageFilters(filters) })
        context.json(200, { ImagesDeleted: deleted.length > 0 ? deleted.map(encodeDeleteResult) : null, SpaceReclaimed: reclaimed })
      },
    },
    {
      method: 'GET',
      path: '/images/get',
      summary: 'Save images as an archive',
      handle: (context) => saveImages(images, context, context.query.all('names')),
    },
    refusedRoute('GET', '/images/search', 'searching a registry'),
    {
      method: 'GET',
      path: '/images/{name*}/get',
      summary: 'Save an image as an archive',
      handle: (context) => saveImages(images, context, [context.param('name')]),
    },
    {
      method: 'GET',
      path: '/images/{name*}/json',
      summary: 'Inspect an image',
      handle(context) {
        const { query, version } = context
        const platform = version >= 49 ? query.text('platform') : ''
        if (platform !== '') parsePlatformJson(platform)
        if (platform !== '' && version >= 48 && query.bool('manifests')) {
          throw invalidArgument('conflicting options: manifests and platform options cannot both be set')
        }
        const image = getImage(images, context)
        context.json(
          200,
          encodeImageInspect(image, version, () => images.layerPaths(image.id)),
        )
      },
    },
    {
      method: 'GET',
      path: '/images/{name*}/history',
      summary: 'How an image was made',
      handle(context) {
        const platform = context.version >= 48 ? context.query.text('platform') : ''
        if (platform !== '') parsePlatformJson(platform)
        context.json(200, images.history(context.param('name')).map(encodeHistory))
      },
    },
    refusedRoute('GET', '/images/{name*}/attestations', 'reading the attestations of an image', 55),
    refusedRoute('POST', '/images/{name*}/push', 'pushing images to a registry'),
    {
      method: 'POST',
      path: '/images/{name*}/tag',
      summary: 'Give an image a name',
      async handle(context) {
        await images.tag(context.param('name'), context.query.text('repo'), context.query.text('tag'))
        context.empty(201)
      },
    },
    {
      method: 'DELETE',
      path: '/images/{name*}',
      summary: 'Untag or delete an image',
      async handle(context) {
        const { query, version } = context
        if (context.param('name').trim() === '') throw invalidArgument('image name cannot be blank')
        if (version >= 50 && query.has('platforms'))
          throw notImplemented('deleting single platforms of an image is not implemented in Gantry yet')
        const results = await images.remove(context.param('name'), { force: query.bool('force'), prune: !query.bool('noprune') })
        context.json(200, results.map(encodeDeleteResult))
      },
    },
  ]
}

function getImage(images: ImageService, context: RequestContext): ReturnType<ImageService['get']> {
  return images.get(context.param('name'))
}

function imageFilters(filters: Filters): ImageFilters {
  const dangling = booleanFilter(filters, 'dangling')
  const until = untilFilter(filters)
  const single = (key: string): Record<string, string> => (filters[key]?.[0] === undefined ? {} : { [key]: filters[key][0] })
  return {
    reference: filters['reference'] ?? [],
    label: filters['label'] ?? [],
    labelNot: filters['label!'] ?? [],
    ...(dangling === undefined ? {} : { dangling }),
    ...(until === undefined ? {} : { until }),
    ...single('before'),
    ...single('since'),
  }
}

async function importImage(images: ImageService, context: RequestContext): Promise<void> {
  const { query, version } = context
  if (query.text('fromImage') !== '') {
    throw notImplemented(
      `pulling images from a registry is not implemented in Gantry yet: load or import ${JSON.stringify(query.text('fromImage'))} instead`,
    )
  }
  const source = query.text('fromSrc')
  if (source !== '-')
    throw notImplemented(`importing from a URL (${JSON.stringify(source)}) is not implemented in Gantry yet: send the archive`)
  const platform = version >= 32 ? query.text('platform') : ''
  await context.streamProgress(async (report) => {
    const image = await images.import(context.body, {
      repo: query.text('repo'),
      tag: query.text('tag'),
      message: query.text('message') || `Imported from ${source}`,
      changes: query.all('changes'),
      signal: context.signal,
      ...(platform === '' ? {} : { platform: checkPlatformText(platform) }),
    })
    report({ status: image.id })
  })
}

async function saveImages(images: ImageService, context: RequestContext, names: string[]): Promise<void> {
  if (context.version >= 48) refusePlatforms(context.query, 'saving')
  if (names.length === 0) throw invalidArgument('image name cannot be blank')
  await sendStream(context, images.save(names), MEDIA_TYPES.tar)
}

/** An image here has one platform: asking for a choice is answered instead of overlooked. */
function refusePlatforms(query: Query, verb: string): void {
  const platforms = query.all('platform').filter((text) => text !== '')
  for (const text of platforms) parsePlatformJson(text)
  if (platforms.length > 0) throw notImplemented(`${verb} images by platform is not implemented in Gantry yet`)
}

function encodeMessage({ progress, ...message }: ProgressMessage): object {
  return progress === undefined ? message : { ...message, progressDetail: progress }
}
