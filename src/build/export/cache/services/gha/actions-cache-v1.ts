import { EngineError } from '#errors'
import { chunks } from '../chunks.ts'
import type { CallOptions } from '../call-service.ts'
import { actionsCall, answered, ENTRY_VERSION } from './actions-call.ts'
import type { GhaOptions } from './gha-options.ts'
import type { ActionsCache } from './types.ts'

/** Bytes of one request. */
const CHUNK_SIZE = 8 << 20
const ACCEPT = { accept: 'application/json;api-version=6.0-preview.1' }

/** `_apis/artifactcache`: what GitHub had before, and other runners' servers have. */
export function actionsCacheV1(options: GhaOptions, http: CallOptions): ActionsCache {
  const base = `${options.url.replace(/\/*$/, '')}/_apis/artifactcache`
  const call = actionsCall(options, http)

  async function post(path: string, request: object, signal: AbortSignal): Promise<Record<string, unknown>> {
    const headers = { ...ACCEPT, 'content-type': 'application/json' }
    const body = Buffer.from(JSON.stringify(request))
    return answered(await call({ method: 'POST', url: `${base}/${path}`, headers, body, signal })) ?? {}
  }

  return {
    async find(key, signal) {
      const query = new URLSearchParams({ keys: key, version: ENTRY_VERSION })
      const answer = answered(await call({ method: 'GET', url: `${base}/cache?${query.toString()}`, headers: ACCEPT, signal }))
      const { cacheKey, archiveLocation } = answer ?? {}
      return typeof cacheKey === 'string' && cacheKey !== '' && typeof archiveLocation === 'string'
        ? { key: cacheKey, url: archiveLocation }
        : undefined
    },

    async save(key, size, content, signal) {
      const { cacheId, cacheID = cacheId } = await post('caches', { key, version: ENTRY_VERSION }, signal)
      if (typeof cacheID !== 'number' || cacheID === 0) throw new EngineError('UNAVAILABLE', 'failed to reserve cache')
      let start = 0
      for await (const chunk of chunks(content, CHUNK_SIZE)) {
        const range = `bytes ${start}-${start + chunk.length - 1}/*`
        const headers = { ...ACCEPT, 'content-type': 'application/octet-stream', 'content-range': range }
        await call({ method: 'PATCH', url: `${base}/caches/${cacheID}`, headers, body: chunk, signal })
        start += chunk.length
      }
      await post(`caches/${cacheID}`, { size }, signal)
    },
  }
}
