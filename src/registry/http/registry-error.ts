export type RegistryErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'TAG_INVALID'
  | 'RANGE_INVALID'
  | 'PAGINATION_NUMBER_INVALID'
  | 'NOT_FOUND'
  | 'UNAVAILABLE'
  | 'UNKNOWN'

/**
 * All errors that the registry answers: code, HTTP status and default message in one table. Source: distribution-spec v1.1, "Error Codes"; the last
 * group is Docker's (distribution v3 registry/api/errcode and registry/api/v2/errors.go).
 */
const ERROR_CODES: Readonly<Record<RegistryErrorCode, readonly [status: number, message: string]>> = {
  BLOB_UNKNOWN: [404, 'blob unknown to registry'],
  BLOB_UPLOAD_INVALID: [400, 'blob upload invalid'],
  BLOB_UPLOAD_UNKNOWN: [404, 'blob upload unknown to registry'],
  DIGEST_INVALID: [400, 'provided digest did not match uploaded content'],
  MANIFEST_BLOB_UNKNOWN: [404, 'manifest references a manifest or blob unknown to registry'],
  MANIFEST_INVALID: [400, 'manifest invalid'],
  MANIFEST_UNKNOWN: [404, 'manifest unknown to registry'],
  NAME_INVALID: [400, 'invalid repository name'],
  NAME_UNKNOWN: [404, 'repository name not known to registry'],
  SIZE_INVALID: [400, 'provided length did not match content length'],
  UNAUTHORIZED: [401, 'authentication required'],
  DENIED: [403, 'requested access to the resource is denied'],
  UNSUPPORTED: [405, 'the operation is unsupported'],
  TOOMANYREQUESTS: [429, 'too many requests'],

  TAG_INVALID: [400, 'manifest tag did not match URI'],
  RANGE_INVALID: [416, 'invalid content range'],
  PAGINATION_NUMBER_INVALID: [400, 'invalid number of results requested'],
  NOT_FOUND: [404, 'no such path'],
  UNAVAILABLE: [503, 'service unavailable'],
  UNKNOWN: [500, 'unknown error'],
}

export interface RegistryErrorOptions {
  message?: string
  detail?: unknown
  /** Where the table's status does not fit. */
  status?: number
  /** Sent with the answer: `Allow`, `Range`, `WWW-Authenticate`. */
  headers?: Readonly<Record<string, string>>
  cause?: unknown
}

interface ErrorEntry {
  code: RegistryErrorCode
  message: string
  detail?: unknown
}

/** What the client is told. Usually one entry; a manifest with several missing blobs has one for each. */
export class RegistryError extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly entries: readonly ErrorEntry[]

  constructor(code: RegistryErrorCode, options: RegistryErrorOptions = {}, details: readonly unknown[] = [options.detail]) {
    const [status, standard] = ERROR_CODES[code]
    const message = options.message ?? standard
    super(message, { cause: options.cause })
    this.name = 'RegistryError'
    this.status = options.status ?? status
    this.headers = options.headers ?? {}
    this.entries = details.map((detail) => ({ code, message, ...(detail === undefined ? {} : { detail }) }))
  }

  get code(): RegistryErrorCode {
    return this.entries[0]?.code ?? 'UNKNOWN'
  }

  /** `{"errors":[{code, message, detail}]}`. */
  toBody(): Buffer {
    return Buffer.from(`${JSON.stringify({ errors: this.entries })}\n`)
  }
}
