/**
 * Names of images as people write them (`alpine`, `registry:5000/a/b:1@sha256:…`) and as the engine keeps them
 * (`docker.io/library/alpine:latest`). Grammar and error texts: distribution/reference v0.6.0, regexp.go and normalize.go.
 */

import { invalidArgument } from '#errors'
import { isDigest, parseDigest } from './digest.ts'
import type { Digest } from './image-spec.ts'

/** A normalised name. `domain` and `path` are always there; `tag` and `digest` only as written. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000`. */
  domain: string
  /** `library/alpine`. */
  path: string
  tag?: string
  digest?: Digest
}

const DEFAULT_DOMAIN = 'docker.io'
const LEGACY_DEFAULT_DOMAIN = 'index.docker.io'
const OFFICIAL_PREFIX = 'library/'
export const DEFAULT_TAG = 'latest'
const MAX_PATH_LENGTH = 255
/** Longest text that can be valid is far below; anything longer is not worth a regular expression. */
const MAX_LENGTH = 4096

const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*'
const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const DOMAIN = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const TAG = '[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}'
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const REFERENCE = new RegExp(`^(${DOMAIN})/(${PATH_COMPONENT}(?:/${PATH_COMPONENT})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`)
const VALID_TAG = new RegExp(`^${TAG}$`)
const IDENTIFIER = /^[a-f0-9]{64}$/

/** Throws INVALID_ARGUMENT with the texts of distribution/reference; `:latest` is not added. */
export function parseReference(text: string): Reference {
  if (IDENTIFIER.test(text)) throw invalidArgument(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  if (text.length > MAX_LENGTH) throw invalidArgument('invalid reference format')
  const { domain, remainder } = splitDomain(text)
  const remote = remainder.split(':', 1)[0] ?? ''
  if (remote.toLowerCase() !== remote) throw invalidArgument(`invalid reference format: repository name (${remote}) must be lowercase`)
  const match = REFERENCE.exec(`${domain}/${remainder}`)
  if (match === null) throw invalidArgument('invalid reference format')
  const [, parsedDomain = '', path = '', tag, digest] = match
  if (path.length > MAX_PATH_LENGTH) throw invalidArgument(`repository name must not be more than ${MAX_PATH_LENGTH} characters`)
  const reference: Reference = { domain: parsedDomain, path }
  if (tag !== undefined) reference.tag = tag
  if (digest !== undefined) reference.digest = parseDigest(digest)
  return reference
}

/** The first component is a domain when it cannot be the first component of a path: a dot, a colon, an upper-case letter, `localhost`. */
function splitDomain(name: string): { domain: string; remainder: string } {
  const slash = name.indexOf('/')
  if (slash < 0) return { domain: DEFAULT_DOMAIN, remainder: OFFICIAL_PREFIX + name }
  const first = name.slice(0, slash)
  const rest = name.slice(slash + 1)
  const isDomain = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first
  if (!isDomain) return { domain: DEFAULT_DOMAIN, remainder: name }
  if (first !== DEFAULT_DOMAIN && first !== LEGACY_DEFAULT_DOMAIN) return { domain: first, remainder: rest }
  return { domain: DEFAULT_DOMAIN, remainder: rest.includes('/') ? rest : OFFICIAL_PREFIX + rest }
}

/** An image id (64 hex digits, `sha256:` optional) or a name. */
export function parseAnyReference(text: string): { id: Digest } | { name: Reference } {
  if (IDENTIFIER.test(text)) return { id: `sha256:${text}` }
  if (isDigest(text)) return { id: text }
  return { name: parseReference(text) }
}

/** Throws INVALID_ARGUMENT `invalid tag format`. */
export function parseTag(text: string): string {
  if (!VALID_TAG.test(text)) throw invalidArgument('invalid tag format')
  return text
}

/** Adds `:latest` where neither tag nor digest is given. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: DEFAULT_TAG } : reference
}

/** `docker.io/library/alpine`. */
export function fullName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`
}

/** `docker.io/library/alpine:3`: the one spelling under which a reference is kept. */
export function fullString(reference: Reference): string {
  return fullName(reference) + suffix(reference)
}

/** `alpine`: what a user would write. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return fullName(reference)
  const official = reference.path.startsWith(OFFICIAL_PREFIX) && !reference.path.slice(OFFICIAL_PREFIX.length).includes('/')
  return official ? reference.path.slice(OFFICIAL_PREFIX.length) : reference.path
}

/** `alpine:3`. */
export function familiarString(reference: Reference): string {
  return familiarName(reference) + suffix(reference)
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`)
}
