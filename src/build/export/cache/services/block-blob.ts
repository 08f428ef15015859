/** Blobs of Azure's storage, in blocks. Source: Microsoft's "Blob service REST API": Put Blob, Put Block, Put Block List. */

import { EngineError } from '#errors'
import { chunks } from './chunks.ts'
import type { ServiceAnswer, ServiceCall } from './call-service.ts'

/** Bytes; a blob has at most 50,000 blocks. */
const BLOCK_SIZE = 8 << 20

/**
 * Uploads a blob: a small one in one request, others block by block. `url`: perhaps with a signature in its query, which stays. Throws what the service says.
 */
export async function putBlockBlob(
  url: string,
  content: AsyncIterable<Uint8Array>,
  { size, call }: { size: number; call: (call: Omit<ServiceCall, 'signal'>) => Promise<ServiceAnswer> },
): Promise<void> {
  const put = async (parameters: Record<string, string>, body: Buffer, headers: Record<string, string> = {}): Promise<void> => {
    const target = new URL(url)
    for (const [name, value] of Object.entries(parameters)) target.searchParams.append(name, value)
    const answer = await call({ method: 'PUT', url: target.href, body, headers: { 'x-ms-version': '2020-10-02', ...headers } })
    if (answer.status !== 201) throw blobError(answer)
  }

  const ids: string[] = []
  for await (const block of chunks(content, BLOCK_SIZE)) {
    if (size <= BLOCK_SIZE) return await put({}, block, { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'application/octet-stream' })
    // All ids of a blob have the same length.
    const id = Buffer.from(String(ids.length).padStart(8, '0')).toString('base64')
    await put({ comp: 'block', blockid: id }, block)
    ids.push(id)
  }
  const list = ids.map((id) => `<Latest>${id}</Latest>`).join('')
  const text = `<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`
  await put({ comp: 'blocklist' }, Buffer.from(text), { 'content-type': 'application/xml' })
}

/** By the service's own code, which stands in a header. */
function blobError({ status, statusText, headers }: ServiceAnswer): EngineError {
  const code = headers['x-ms-error-code']
  const text = `the blob service answers ${status} ${typeof code === 'string' ? code : statusText}`
  return new EngineError(status === 401 || status === 403 ? 'FORBIDDEN' : 'UNAVAILABLE', text)
}
