import type { IncomingMessage, ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'
import type { CollectOptions, CollectReport } from '../gc/types.ts'

/** What the command may choose; the rest is the configuration's. */
export type CollectRequest = Pick<CollectOptions, 'deleteUntagged' | 'dryRun'>
export type RemovedContent = Parameters<NonNullable<CollectOptions['removed']>>[0]
type Message = { removed: RemovedContent } | { report: CollectReport } | { error: string }

/**
 * How the command `garbage-collect` asks a running server, over its control socket: `POST /collect?untagged=…&dryrun=…`, answered with a line of JSON for
 * each thing removed and a last one with the report or the error. The command that goes away ends the collection.
 */
export function collectPath({ deleteUntagged, dryRun }: CollectRequest): string {
  return `/collect?untagged=${deleteUntagged}&dryrun=${dryRun}`
}

/** Answers on the server's side. */
export async function serveCollect(
  request: IncomingMessage,
  response: ServerResponse,
  collect: (options: CollectRequest & Pick<CollectOptions, 'removed' | 'signal'>) => Promise<CollectReport>,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://control')
  if (request.method !== 'POST' || pathname !== '/collect') return void response.writeHead(404).end()
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const send = (message: Message): void => void response.write(`${JSON.stringify(message)}\n`)
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
  try {
    const report = await collect({
      deleteUntagged: searchParams.get('untagged') === 'true',
      dryRun: searchParams.get('dryrun') === 'true',
      signal: gone.signal,
      removed: (removed) => send({ removed }),
    })
    send({ report })
  } catch (error) {
    send({ error: error instanceof Error ? error.message : String(error) })
  }
  response.end()
}

/** Reads the answer on the command's side. Throws Error when the collection failed or the server went away. */
export async function readCollect(answer: IncomingMessage, removed: (what: RemovedContent) => void): Promise<CollectReport> {
  for await (const line of createInterface({ input: answer })) {
    const message = JSON.parse(line) as Message
    if ('report' in message) return message.report
    if ('error' in message) throw new Error(message.error)
    removed(message.removed)
  }
  throw new Error('the server ended during the collection')
}
