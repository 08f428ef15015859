import { createHash } from 'node:crypto'
import { conflict, EngineError } from '#errors'
import { parseJson } from '#lib'
import { callService } from '../call-service.ts'
import type { CallOptions, ServiceAnswer, ServiceCall } from '../call-service.ts'
import type { GhaOptions } from './gha-options.ts'

export type ActionsCall = (call: Omit<ServiceCall, 'authorization'>) => Promise<ServiceAnswer>

/** Entries of one key may have versions beside each other; BuildKit has one for all of its. Source: tonistiigi/go-actions-cache. */
export const ENTRY_VERSION: string = createHash('sha256').update('|go-actionscache-1.0').digest('hex')

const LIMITS = { maxBytes: 32 << 10, maxDepth: 8 }

/** Calls of the service with the job's token. Throws CONFLICT for what exists already, UNAVAILABLE with the service's words for other errors. */
export function actionsCall({ token }: Pick<GhaOptions, 'token'>, options: CallOptions): ActionsCall {
  return async (call) => {
    const answer = await callService({ ...call, authorization: `Bearer ${token}` }, options)
    if (answer.status >= 200 && answer.status < 300) return answer
    throw refusal(answer)
  }
}

/** What an answer says; undefined: nothing. */
export function answered({ body }: ServiceAnswer): Record<string, unknown> | undefined {
  if (body.length === 0) return undefined
  const value = parseJson(body, LIMITS)
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Version 1 says `typeKey` and `message`, version 2, as all of Twirp, `code` and `msg`. */
function refusal({ status, statusText, body }: ServiceAnswer): Error {
  const { typeKey = '', message = '', code = '', msg = '' } = errorFields(body)
  const text = message || msg || code || `${status} ${statusText}`
  const exists = typeKey.includes('AlreadyExists') || code === 'already_exists' || text.toLowerCase().includes('already exists')
  return exists ? conflict(text) : new EngineError(status === 401 || status === 403 ? 'FORBIDDEN' : 'UNAVAILABLE', text)
}

function errorFields(body: Buffer): Record<string, string> {
  try {
    // Some answers begin with a byte order mark.
    const value = parseJson(body.toString().replace(/^\uFEFF/, ''), LIMITS) as Record<string, unknown> | null
    return Object.fromEntries(Object.entries(value ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch {
    return {} // a proxy's page
  }
}
