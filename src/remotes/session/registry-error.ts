import { parseJson, readLimited } from '#lib'
import { parseChallenges } from '../auth/challenges.ts'
import { MAX_ERROR_SIZE } from '../transport/limits.ts'
import { requestLabel } from '../transport/network-error.ts'
import type { HttpResponse } from '../transport/http-transport.ts'

export interface ErrorEntry {
  /** `MANIFEST_UNKNOWN`; `UNKNOWN` for what the specification does not have. */
  code: string
  message: string
}

/** A registry's or token server's refusal. The message is what Docker makes of it. */
export class RegistryError extends Error {
  readonly status: number
  /** Empty when the body did not say. */
  readonly errors: readonly ErrorEntry[]
  /** Milliseconds that the server wants to be left alone. */
  readonly retryAfter: number | undefined

  constructor(message: string, options: { status: number; errors?: readonly ErrorEntry[]; retryAfter?: number | undefined }) {
    super(message)
    this.name = 'RegistryError'
    this.status = options.status
    this.errors = options.errors ?? []
    this.retryAfter = options.retryAfter
  }

  /** Another attempt may succeed. */
  get transient(): boolean {
    return this.status === 408 || this.status === 429 || this.status >= 500
  }
}

/** Codes of distribution-spec v1.1 and of Docker's registry, with the message that stands in for an empty one. */
const CODES: Readonly<Record<string, string>> = {
  UNKNOWN: 'unknown error',
  UNSUPPORTED: 'The operation is unsupported.',
  UNAUTHORIZED: 'authentication required',
  DENIED: 'requested access to the resource is denied',
  UNAVAILABLE: 'service unavailable',
  TOOMANYREQUESTS: 'too many requests',
  BLOB_UNKNOWN: 'blob unknown to registry',
  BLOB_UPLOAD_INVALID: 'blob upload invalid',
  BLOB_UPLOAD_UNKNOWN: 'blob upload unknown to registry',
  DIGEST_INVALID: 'provided digest did not match uploaded content',
  MANIFEST_BLOB_UNKNOWN: 'blob unknown to registry',
  MANIFEST_INVALID: 'manifest invalid',
  MANIFEST_UNKNOWN: 'manifest unknown',
  MANIFEST_UNVERIFIED: 'manifest failed signature verification',
  NAME_INVALID: 'invalid repository name',
  NAME_UNKNOWN: 'repository name not known to registry',
  SIZE_INVALID: 'provided length did not match content length',
  TAG_INVALID: 'manifest tag did not match URI',
  RANGE_INVALID: 'invalid content range',
  PAGINATION_NUMBER_INVALID: 'invalid number of results requested',
}

/** `manifest unknown: manifest unknown`, as distribution writes an error. */
export function errorText({ code, message }: ErrorEntry): string {
  return `${code.toLowerCase().replaceAll('_', ' ')}: ${message}`
}

/**
 * Reads the body of a response that is no success (at most 64 KiB) and makes the error of it. `inside`: the response belongs to a step of
 * another request (a token for it), whose label Docker puts in front. Source: distribution v2.8.3 registry/client/errors.go; RFC 6750, 3.1
 * for `insufficient_scope`.
 */
export async function registryError(response: HttpResponse, inside?: { method: string; url: string }): Promise<RegistryError> {
  const { status, headers } = response
  const retryAfter = parseRetryAfter(headers['retry-after'], Date.now())
  const prefix = inside === undefined ? '' : `${requestLabel(inside)}: `
  const made = (text: string, errors: readonly ErrorEntry[] = []): RegistryError =>
    new RegistryError(prefix + text, { status, errors: inside === undefined ? errors : [], retryAfter })
  if (status < 400 || status >= 500) {
    response.discard()
    return made(`received unexpected HTTP status: ${response.statusLine}`)
  }
  const body = await readLimited(response.body, MAX_ERROR_SIZE, 'error of a registry').catch(() => Buffer.alloc(0))
  const parsed = parseErrors(body, status)
  const errors = [...challengeErrors(headers['www-authenticate']), ...(typeof parsed === 'string' ? [] : parsed)]
  const [first] = errors
  if (first === undefined) return made(typeof parsed === 'string' ? parsed : `error parsing HTTP ${status} response body`)
  return made(errors.length === 1 ? errorText(first) : `errors:\n${errors.map((error) => `${errorText(error)}\n`).join('')}`, errors)
}

/** The entries of an error document, or the sentence about a body that is none. */
function parseErrors(body: Buffer, status: number): ErrorEntry[] | string {
  const unauthorized: ErrorEntry[] = [{ code: 'UNAUTHORIZED', message: CODES['UNAUTHORIZED'] ?? '' }]
  const unexpected = (reason: string): ErrorEntry[] | string =>
    status === 401 ? unauthorized : `error parsing HTTP ${status} response body: ${reason}: ${JSON.stringify(body.toString('utf8'))}`
  let document: unknown
  try {
    document = parseJson(body, { maxBytes: MAX_ERROR_SIZE, maxDepth: 16 })
  } catch {
    return unexpected(jsonComplaint(body))
  }
  if (typeof document !== 'object' || document === null) return unexpected('json: cannot unmarshal value into an object')
  const { errors, details } = document as { errors?: unknown; details?: unknown }
  // Docker Hub's token server: {"details":"incorrect username or password"}.
  if (typeof details === 'string' && details !== '') return [{ code: CODE_OF_STATUS[status] ?? 'UNKNOWN', message: details }]
  const entries = (Array.isArray(errors) ? errors : []).slice(0, 16).map(errorEntry)
  return entries.length > 0 ? entries : unexpected('no error details found in HTTP response body')
}

const CODE_OF_STATUS: Readonly<Record<number, string>> = { 401: 'UNAUTHORIZED', 429: 'TOOMANYREQUESTS' }

function errorEntry(value: unknown): ErrorEntry {
  const { code, message } = (typeof value === 'object' && value !== null ? value : {}) as { code?: unknown; message?: unknown }
  const known = typeof code === 'string' && Object.hasOwn(CODES, code) ? code : 'UNKNOWN'
  return { code: known, message: typeof message === 'string' && message !== '' ? message : (CODES[known] ?? '') }
}

/** Go's sentence about text that is not JSON. */
function jsonComplaint(body: Buffer): string {
  const first = body.toString('utf8').trimStart()[0]
  return first === undefined ? 'unexpected end of JSON input' : `invalid character '${first}' looking for beginning of value`
}

/** What a resource server says of the token in its challenge. */
function challengeErrors(header: string | undefined): ErrorEntry[] {
  for (const { scheme, parameters } of parseChallenges(header)) {
    const code = scheme === 'bearer' ? CODE_OF_CHALLENGE[parameters['error'] ?? ''] : undefined
    if (code !== undefined) return [{ code, message: parameters['error_description'] || (CODES[code] ?? '') }]
  }
  return []
}

const CODE_OF_CHALLENGE: Readonly<Record<string, string>> = { invalid_token: 'UNAUTHORIZED', insufficient_scope: 'DENIED' }

/** Milliseconds; seconds or a date. Source: RFC 9110, 10.2.3. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d+$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
