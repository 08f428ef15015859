import { EngineError } from '#errors'
import { putBlockBlob } from '../block-blob.ts'
import { callService } from '../call-service.ts'
import type { CallOptions } from '../call-service.ts'
import { actionsCall, answered, ENTRY_VERSION } from './actions-call.ts'
import type { GhaOptions } from './gha-options.ts'
import type { ActionsCache } from './types.ts'

/** `github.actions.results.api.v1.CacheService` by Twirp's JSON. Content goes to a store of Azure's, to addresses that are signed. */
export function actionsCacheV2(options: GhaOptions, http: CallOptions): ActionsCache {
  const base = `${options.url.replace(/\/*$/, '')}/twirp/github.actions.results.api.v1.CacheService`
  const call = actionsCall(options, http)

  async function ask(method: string, request: object, signal: AbortSignal): Promise<Record<string, unknown>> {
    const body = Buffer.from(JSON.stringify({ ...request, version: ENTRY_VERSION }))
    const headers = { 'content-type': 'application/json' }
    return answered(await call({ method: 'POST', url: `${base}/${method}`, headers, body, signal })) ?? {}
  }

  return {
    async find(key, signal) {
      const answer = await ask('GetCacheEntryDownloadURL', { key, restore_keys: [key] }, signal)
      const { ok, signed_download_url: url, matched_key: matched } = answer
      return ok === true && typeof url === 'string' && typeof matched === 'string' ? { key: matched, url } : undefined
    },

    async save(key, size, content, signal) {
      const { ok, signed_upload_url: url } = await ask('CreateCacheEntry', { key }, signal)
      if (ok !== true || typeof url !== 'string') throw new EngineError('UNAVAILABLE', 'failed to reserve cache')
      // The address is the permission: the token stays with the service.
      await putBlockBlob(url, content, { size, call: (put) => callService({ ...put, signal }, http) })
      const done = await ask('FinalizeCacheEntryUpload', { key, size_bytes: size }, signal)
      if (done['ok'] !== true) throw new EngineError('UNAVAILABLE', 'failed to commit cache')
    },
  }
}
