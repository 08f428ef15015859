import type { Duplex } from 'node:stream'
import { once } from 'node:events'
import { conflict, notFound } from '#errors'
import type { Context } from './context.ts'
import { readLog } from './container-logs.ts'
import { parseDetachKeys } from './detach-keys.ts'
import type { ContainerEntry, PendingAttach } from './entry.ts'
import { publishEvent } from './publish-event.ts'
import { pump } from './pump.ts'
import { isActive, isRestarting } from './state.ts'
import type { AttachedIo, AttachRequest } from './types.ts'

/**
 * `docker attach`. A container that does not run yet is attached to when it starts, so that clients attach first and start then.
 * The stream is registered before this returns. Throws CONFLICT for a paused or restarting container.
 */
export async function attachContainer(ctx: Context, ref: string, request: AttachRequest): Promise<AttachedIo> {
  const entry = ctx.store.find(ref)
  const keys = parseDetachKeys(request.detachKeys)
  const { status } = entry.record.state
  if (status === 'paused') throw conflict(`container ${entry.id} is paused, unpause the container before attach`)
  if (status === 'restarting') throw isRestarting(entry.id)
  if (status === 'removing' || status === 'dead') throw notFound(`No such container: ${ref}`)
  const { tty, stdinOnce, openStdin } = entry.record.config
  const source = request.stream ? await openStream(entry, request) : undefined
  publishEvent(ctx, entry.record, 'attach')
  return {
    tty,
    pipe: async (client) => {
      if (request.logs) await replay(ctx, entry, request, client)
      const stream = await source?.take(client)
      if (stream === undefined) {
        client.end()
        return
      }
      await pump(client, stream, {
        stdin: request.stdin && openStdin,
        detachKeys: tty && request.stdin ? keys : undefined,
        onStdinEnd: stdinOnce && !tty ? 'close' : 'leave',
        onDetach: () => publishEvent(ctx, entry.record, 'detach'),
      })
    },
  }
}

/** A stream that is there, or will be. */
interface StreamSource {
  /** Waits for it; gives up when the client goes away first. */
  take(client: Duplex): Promise<Duplex | undefined>
}

async function openStream(entry: ContainerEntry, { stdin, stdout, stderr }: AttachRequest): Promise<StreamSource> {
  const options = { stdin: stdin && entry.record.config.openStdin, stdout, stderr }
  if (isActive(entry.record.state) && entry.run !== undefined) {
    // A task that ended this moment has no more to say.
    const stream = await entry.run.task.attach(options).catch(() => undefined)
    return { take: () => Promise.resolve(stream) }
  }
  const { promise, resolve } = Promise.withResolvers<Duplex | undefined>()
  const pending: PendingAttach = { options, resolve }
  entry.pendingAttaches.add(pending)
  return {
    take: async (client) => {
      const giveUp = (): void => {
        entry.pendingAttaches.delete(pending)
        resolve(undefined)
      }
      client.once('close', giveUp)
      const stream = await promise
      client.off('close', giveUp)
      return stream
    },
  }
}

async function replay(ctx: Context, entry: ContainerEntry, { stdout, stderr }: AttachRequest, client: Duplex): Promise<void> {
  const options = { stdout, stderr, follow: false, timestamps: false, details: false }
  for await (const batch of readLog(ctx, entry, options).stream) {
    if (client.destroyed) return
    if (!client.write(batch)) await once(client, 'drain')
  }
}
