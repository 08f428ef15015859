/** `/images`: what is here. How images come and go is in `image-transfer.ts`. */

import { invalidArgument } from '#errors'
import type { Image, ImageFilters, ImageService } from '#images'
import type { ApiServerDeps } from '../backend.ts'
import { booleanFilter, parseFilters, untilFilter, type Filters } from '../decode/filters.ts'
import { formatPlatform, parsePlatformJson } from '../decode/platform.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'
import { encodeDeleteResult, encodeHistory, encodeImageInspect, encodeImageSummary } from '../wire/image.ts'
import { encodeManifests } from '../wire/image-manifest.ts'
import { imageUsers } from './disk-usage.ts'

const LIST_FILTERS = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until']
const PRUNE_FILTERS = ['dangling', 'label', 'label!', 'until']

type ImageDeps = Pick<ApiServerDeps, 'images' | 'containers'>

export function imageRoutes(deps: ImageDeps): Route[] {
  const { images } = deps
  return [
    {
      method: 'GET',
      path: '/images/json',
      summary: 'List images',
      handle: (context) => listImages(deps, context),
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
      path: '/images/{name*}/json',
      summary: 'Inspect an image',
      handle: (context) => inspectImage(deps, context),
    },
    {
      method: 'GET',
      path: '/images/{name*}/history',
      summary: 'How an image was made',
      async handle(context) {
        const platform = context.version >= 48 ? context.query.text('platform') : ''
        const name = platform === '' ? context.param('name') : (await imageOn(images, context, platform)).id
        context.json(200, images.history(name).map(encodeHistory))
      },
    },
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
        const platforms = version >= 50 ? query.all('platforms').map(parsePlatformJson) : []
        const results = await images.remove(context.param('name'), {
          force: query.bool('force'),
          prune: !query.bool('noprune'),
          ...(platforms.length === 0 ? {} : { platforms }),
        })
        context.json(200, results.map(encodeDeleteResult))
      },
    },
  ]
}

async function listImages({ images, containers }: ImageDeps, context: RequestContext): Promise<void> {
  const { query, version } = context
  const filters = parseFilters(query.text('filters'), LIST_FILTERS)
  // Up to 1.24 the reference was a parameter of its own.
  if (version < 25 && query.text('filter') !== '') filters['reference'] = [query.text('filter')]
  const withManifests = version >= 47 && query.bool('manifests')
  if (version >= 54 && query.bool('identity') && !withManifests) throw invalidArgument('conflicting options: identity requires manifests=1')
  const withSharedSize = version >= 42 && query.bool('shared-size')
  const list = images.list({ all: query.bool('all'), filters: imageFilters(filters) })
  const users = version >= 51 || withManifests ? await imageUsers(containers) : new Map<string, string[]>()
  context.json(
    200,
    list.map((image) =>
      encodeImageSummary(image, version, {
        containers: users.get(image.id)?.length ?? 0,
        sharedSize: withSharedSize ? images.sharedSize(image.id) : -1,
        ...(withManifests ? { manifests: encodeManifests(images.manifests(nameOf(image)), users) } : {}),
      }),
    ),
  )
}

/** Manifests belong to a name; an image may have been pulled by several. */
function nameOf({ id, repoTags, repoDigests }: Image): string {
  return repoTags[0] ?? repoDigests[0] ?? id
}

async function inspectImage({ images, containers }: ImageDeps, context: RequestContext): Promise<void> {
  const { query, version } = context
  const platform = version >= 49 ? query.text('platform') : ''
  const withManifests = version >= 48 && query.bool('manifests')
  if (platform !== '') parsePlatformJson(platform)
  if (platform !== '' && withManifests) throw invalidArgument('conflicting options: manifests and platform options cannot both be set')
  const name = context.param('name')
  const image = platform === '' ? images.get(name) : await imageOn(images, context, platform)
  const body = encodeImageInspect(image, version, () => images.layerPaths(image.id))
  if (withManifests) body.Manifests = encodeManifests(images.manifests(name), await imageUsers(containers))
  context.json(200, body)
}

/** The image of a name on the platform of a query, in JSON. */
function imageOn(images: ImageService, context: RequestContext, platform: string): Promise<Image> {
  return images.resolve(context.param('name'), formatPlatform(parsePlatformJson(platform)), { signal: context.signal })
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
