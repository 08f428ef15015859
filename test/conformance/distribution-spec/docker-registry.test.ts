/**
 * The same cases on Debian's docker-registry (2.8): they are not cut to fit our own registry. What it does otherwise is listed; an entry that is no
 * longer true fails.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { dockerRegistryMissing } from '../../harness/index.ts'
import { CATEGORIES } from './all-cases.ts'
import { startPeer, type Target } from './target.ts'

const REFERRERS = 'it is of the time before distribution-spec 1.1 and has no referrers'
const RANGES = 'its range reader answers with a broken connection'
const ORDER = 'it takes no notice of Content-Range'
const PAGES = 'it lists all tags at once, in no order'
const TAGS = 'it deletes by digest only'

/** By section; a string for all of its cases. */
const KNOWN_DIFFERENCES: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  'Pulling manifests (end-3)': {
    'GET without Accept gives the manifest as it is': 'it hides OCI manifests from clients that do not ask for them',
    'GET with an Accept that does not fit gives the manifest as it is': 'the same',
    'GET of a digest that is none answers 400 or 404': 'it answers 500',
  },
  'Pulling blobs: range requests (RFC 9110, 14)': {
    'a range behind the end answers 416 with the size': RANGES,
    'a malformed range is ignored or refused': RANGES,
    'another unit is ignored': RANGES,
    'a HEAD ignores Range': 'it answers 206',
  },
  'Pushing a blob monolithically: single POST (end-4b)': {
    'POST with digest and content stores the blob at once': 'it wants a PUT, as the specification allows',
  },
  'Pushing a blob in chunks (end-5, end-6, end-13)': {
    'a chunk that begins too late answers 416, and the right one is taken then': ORDER,
    'a chunk that was sent before answers 416 with where to go on': ORDER,
    'a Content-Range that is none answers 416': ORDER,
    'a Content-Range of another length than the body is refused': ORDER,
    'a last chunk out of order answers 416': ORDER,
  },
  'Pushing a blob in chunks: as a stream, without Content-Range': {
    'what came before the connection broke is kept, and the upload goes on from there': 'it cannot tell how far a broken chunk came',
  },
  'Pushing Manifests (end-7)': {
    'PUT of a layer that may not be distributed and has URLs is taken without the blob': 'it takes no such layer unless its URL is allowed',
    'PUT of a manifest over the limit answers 413': 'it answers 400',
  },
  'image-spec v1.1, Guidelines for Artifact Usage': {
    'a manifest of a type nobody knows is taken and comes back with it': 'it takes the types it knows',
  },
  'Pushing Manifests with Subject': {
    'PUT of a manifest with a subject answers with OCI-Subject': REFERRERS,
    'PUT of a manifest whose subject is not there yet is taken': REFERRERS,
    'PUT of an index with a subject answers with OCI-Subject': REFERRERS,
  },
  'Listing Tags (end-8a)': {
    'GET gives the name and all tags in lexical order': PAGES,
  },
  'Listing Tags with n and last (end-8b)': {
    'n limits the list': PAGES,
    'n=0 gives an empty list without a Link': PAGES,
    'last gives what comes behind it': PAGES,
    'last without n gives all that comes behind it': PAGES,
    'last need not be a tag': PAGES,
    'Link leads through all tags, each once': PAGES,
    'an n that is no number is refused': PAGES,
  },
  'Listing Referrers (end-12a)': REFERRERS,
  'Listing Referrers with artifactType (end-12b)': REFERRERS,
  'Deleting tags (end-9)': TAGS,
}

function knownDifference(section: string, name: string): string | undefined {
  const entry = KNOWN_DIFFERENCES[section]
  return typeof entry === 'string' ? entry : entry?.[name]
}

let target: Target

describe('docker-registry', { skip: dockerRegistryMissing() }, () => {
  before(async () => {
    target = await startPeer()
  })
  after(() => target[Symbol.asyncDispose]())

  for (const [category, cases] of Object.entries(CATEGORIES)) {
    describe(category, () => {
      for (const { section, name, check } of cases) {
        const difference = knownDifference(section, name)
        if (difference === undefined) it(`${section}: ${name}`, () => check(target.client))
        else it(`${section}: differs: ${name}: ${difference}`, () => assert.rejects(check(target.client)))
      }
    })
  }
})
