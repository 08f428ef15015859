import { invalidArgument } from '#errors'
import { parseGoDuration } from '#lib'
import type { AttributeReader } from '../../../attributes.ts'

export interface GhaOptions {
  /** Caches of the same repository beside each other. */
  scope: string
  url: string
  version: 1 | 2
  token: string
  /** Milliseconds. */
  timeout: number
  /** By GitHub's own API, all keys are known at once. */
  rest?: { repository: string; token: string }
}

const RESULTS_HOST = 'results-receiver.actions.githubusercontent.com'

/** Attributes of `type=gha`. Throws INVALID_ARGUMENT with BuildKit's texts. Source: moby/buildkit cache/remotecache/gha. */
export function readGhaOptions(reader: AttributeReader): GhaOptions {
  const scope = reader.take('scope') ?? 'buildkit'
  const token = reader.take('token')
  const asked = reader.take('version')
  const [url, urlV2] = [reader.take('url'), reader.take('url_v2')]
  const [repository = '', restToken = ''] = [reader.take('repository'), reader.take('ghtoken')]
  const timeout = parseTimeout(reader.take('timeout') ?? '10m')
  if (token === undefined) throw invalidArgument('token not set for github actions cache')
  if (asked !== undefined && !/^\d+$/.test(asked))
    throw invalidArgument(`failed to parse api version ${JSON.stringify(asked)}, expected positive integer`)
  const version = Number(asked ?? 0)
  const common = { scope, token, timeout, ...(repository !== '' && restToken !== '' && { rest: { repository, token: restToken } }) }
  if (version !== 1 && urlV2) return { ...common, url: urlV2, version: 2 }
  if (!url) throw invalidArgument('url not set for github actions cache')
  return { ...common, url, version: version > 1 || (version === 0 && url.includes(RESULTS_HOST)) ? 2 : 1 }
}

function parseTimeout(text: string): number {
  try {
    return parseGoDuration(text) / 1e6
  } catch (error) {
    throw invalidArgument(`failed to parse timeout for github actions cache: ${(error as Error).message}`, error)
  }
}
