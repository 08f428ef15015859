import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, EngineError, notFound } from '#errors'
import { readLimited } from '#lib'
import { digestOf, hexOf } from '#oci'
import type { Digest } from '#oci'
import { MAX_CACHE_CONFIG } from '../../cache-config.ts'
import type { CallOptions } from '../call-service.ts'
import { download } from '../call-service.ts'
import { resumed } from '../resumed.ts'
import type { CacheService } from '../types.ts'
import { actionsCacheV1 } from './actions-cache-v1.ts'
import { actionsCacheV2 } from './actions-cache-v2.ts'
import type { GhaOptions } from './gha-options.ts'
import { listGithubKeys } from './github-keys.ts'
import { scopesOfToken, type CacheScope } from './runtime-token.ts'

export interface GhaDeps extends Omit<CallOptions, 'patience'> {
  /** Milliseconds between two looks at an entry that somebody else writes. */
  pause?: number
  /** Address of GitHub's own API. */
  api?: string
}

const BLOB_PREFIX = 'buildkit-blob-1-'
/** Milliseconds after which who has begun to write a config is taken for dead. */
const MAX_BLOCKED = 15_000
const PAUSE = 2000
/** Numbers of dead writers that are left out. */
const MAX_SKIPPED = 20

/**
 * The cache of GitHub Actions. Entries are never changed there: a config has a number behind its key, one more each time. Each branch has a config of its own;
 * those of the branch it comes from can be read. Source: moby/buildkit cache/remotecache/gha. Throws INVALID_ARGUMENT for a token that is none.
 */
export function ghaService(options: GhaOptions, { pause = PAUSE, api, ...http }: GhaDeps): CacheService {
  const calls = { ...http, patience: options.timeout }
  const cache = options.version === 2 ? actionsCacheV2(options, calls) : actionsCacheV1(options, calls)
  const scopes = scopesOfToken(options.token, Date.now())
  let known: Promise<ReadonlySet<string> | undefined> | undefined

  async function listed(signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    if (options.rest === undefined) return undefined
    const query = { ...options.rest, prefix: BLOB_PREFIX }
    const more = { ...calls, signal, ...(api !== undefined && { api }) }
    try {
      return new Set((await Promise.all(scopes.map(({ scope }) => listGithubKeys({ ...query, scope }, more)))).flat())
    } catch {
      signal.throwIfAborted()
      return undefined // then each is asked for
    }
  }

  async function readConfig(scope: string, signal: AbortSignal): Promise<Buffer[]> {
    const entry = await cache.find(configKey(options, scope), signal)
    if (entry === undefined) return []
    const content = resumed((offset) => download(entry.url, offset, { proxies: http.proxies, signal }), signal)
    return [await readLimited(content, MAX_CACHE_CONFIG, 'cache config')]
  }

  return {
    readConfigs: async (signal) => (await Promise.all(scopes.map(({ scope }) => readConfig(scope, signal)))).flat(),

    async *readBlob({ digest }, offset, signal) {
      // Looked for anew each time: addresses are good for some minutes only.
      const entry = await cache.find(blobKey(digest), signal)
      if (entry?.key !== blobKey(digest)) throw notFound(`blob ${digest} not found`)
      yield* download(entry.url, offset, { proxies: http.proxies, signal })
    },

    async hasBlob({ digest }, signal) {
      const keys = await (known ??= listed(signal))
      if (keys !== undefined) return keys.has(blobKey(digest))
      return (await cache.find(blobKey(digest), signal))?.key === blobKey(digest)
    },

    async writeBlob({ digest, size }, content, signal) {
      try {
        await cache.save(blobKey(digest), size, content, signal)
      } catch (error) {
        // Another job has written the same layer, or is about to.
        if (codeOf(error) !== 'CONFLICT')
          throw new EngineError(codeOf(error), `error writing layer blob: ${textOf(error)}`, { cause: error })
      }
    },

    async writeConfig(config, signal) {
      const key = configKey(options, writableScope(scopes))
      for (let blocked = 0, skipped = 0; ;) {
        const last = await cache.find(`${key}#`, signal)
        const number = numberOf(last?.key.slice(key.length + 1)) + 1 + skipped
        try {
          return await cache.save(`${key}#${number}`, config.length, from(config), signal)
        } catch (error) {
          if (codeOf(error) !== 'CONFLICT' || skipped === MAX_SKIPPED) throw error
        }
        // Who writes this number shows up soon, or has died and never will.
        if (blocked > MAX_BLOCKED) skipped++
        else await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
        blocked += PAUSE
      }
    },
  }
}

function blobKey(digest: Digest): string {
  return BLOB_PREFIX + digest
}

function configKey({ scope }: GhaOptions, branch: string): string {
  return `index-${scope}-1-${hexOf(digestOf(Buffer.from(branch))).slice(0, 8)}`
}

function writableScope(scopes: readonly CacheScope[]): string {
  return scopes.findLast(({ isWritable }) => isWritable)?.scope ?? ''
}

/** Entries of other programs have no number. */
function numberOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0
}

async function* from(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
