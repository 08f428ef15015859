import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { systemPath } from '#archive'
import type { FilePath, Files } from '#kernel'
import { createFileWriter } from '#snapshots'
import type { JobRunner } from '#snapshots'
import type { DirectoryTransfer, FileStat } from '../../session.ts'
import type { KnownTree, UpdatePlan } from './plan-update.ts'
import { sortKey } from './receive-entries.ts'
import type { ReceivedEntry } from './receive-entries.ts'
import { signatureOf, UNFINISHED } from './stat-signature.ts'
import { createFile, performUpdatePart, removeEntry, setFileAttributes } from './update-parts.ts'
import type { NewFile, UpdatePart } from './update-parts.ts'

/** Files that are asked for at once: the client's disk and the connection are to be busy, not our memory. */
const PARALLEL = 32
/** Bytes of a file that are kept in memory until it is whole; larger ones are written as they come. */
const SMALL = 128 * 1024
/** What is given to a worker at once. */
const BATCH = { files: 64, bytes: 1024 * 1024 }
/** Less is done at once: a worker may have to be started first, which takes longer than this. */
const FEW = 48

export interface ApplyDeps {
  files: Files
  jobs: Pick<JobRunner, 'run'>
  /** The directory to be changed; nobody else reads it or writes to it meanwhile. */
  tree: string
}

export interface ApplyOptions {
  signal: AbortSignal
  /** Hears of bytes as they come. */
  received: (bytes: number) => void
}

/** An update broke off while files came. */
export class UpdateFailure extends Error {
  /** What is there now. */
  readonly tree: KnownTree

  constructor(cause: unknown, tree: KnownTree) {
    super('the transfer of a directory broke off', { cause })
    this.tree = tree
  }
}

/**
 * Carries out a plan. Nothing that is there is written to: what changes gets a new inode, for others may have links to the old one. Throws {@link UpdateFailure}
 * when it is known what is there then.
 */
export async function applyUpdate(
  deps: ApplyDeps,
  known: KnownTree,
  plan: UpdatePlan,
  transfer: Pick<DirectoryTransfer, 'read' | 'hostPath'>,
  options: ApplyOptions,
): Promise<void> {
  const { tree } = deps
  const { removals, directories, nodes, hardLinks, attributes } = plan
  const isSmall = removals.length + directories.length + nodes.length + hardLinks.length + attributes.length + plan.files.length <= FEW
  const perform = async (input: UpdatePart): Promise<void> => {
    if (isSmall) await performUpdatePart(deps.files, input)
    // What has come is written although the client has gone: it need not come again.
    else
      await deps.jobs.run({ kind: 'task', task: 'build-update-directory', input }, input.part === 'files' ? {} : { signal: options.signal })
  }

  if (removals.length + directories.length > 0) await perform({ part: 'prepare', tree, removals, directories })
  const present = new Map(known)
  for (const path of removals) present.delete(path)
  for (const { path } of [...directories, ...attributes]) present.set(path, UNFINISHED.directory)
  for (const { path } of [...nodes, ...hardLinks, ...plan.files.map(({ stat }) => stat)]) present.set(path, UNFINISHED.file)
  try {
    await fetchFiles(deps, plan.files, transfer, {
      ...options,
      perform,
      isThere: (path) => known.has(path),
      done: (stat) => void present.set(stat.path, signatureOf(stat)),
    })
    if (nodes.length + hardLinks.length + attributes.length > 0) {
      await perform({ part: 'complete', tree, nodes, hardLinks, attributes })
    }
  } catch (error) {
    throw new UpdateFailure(error, new Map([...present].sort(([a], [b]) => Buffer.compare(sortKey(a), sortKey(b)))))
  }
}

interface FetchOptions extends ApplyOptions {
  perform: (part: UpdatePart) => Promise<void>
  /** Something has had this name before. */
  isThere: (path: string) => boolean
  done: (stat: FileStat) => void
}

/** Several at once, in the order of the list. The first failure stops all. */
async function fetchFiles(
  deps: ApplyDeps,
  entries: readonly ReceivedEntry[],
  transfer: Pick<DirectoryTransfer, 'read' | 'hostPath'>,
  options: FetchOptions,
): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const batches = createBatches(deps, options)
  const queue = entries.values()
  const work = async (): Promise<void> => {
    for (const { stat, index } of queue) {
      signal.throwIfAborted()
      const replaces = options.isThere(stat.path)
      const path = transfer.hostPath?.(index)
      if (path !== undefined) {
        await batches.add({ stat, replaces, source: { path } }, 0)
        continue
      }
      const content = await readSmall(transfer.read(index), { ...options, signal })
      if (content.rest === undefined) {
        await batches.add({ stat, replaces, source: { content: content.start } }, content.length)
        continue
      }
      const target = systemPath(join(deps.tree, stat.path))
      if (replaces) removeEntry(target)
      await writeLarge(deps.files, target, stat, content.start, content.rest, { ...options, signal })
      options.done(stat)
    }
  }
  const lanes = Array.from({ length: Math.min(PARALLEL, entries.length) }, () => work())
  // None may still be writing when the failure is reported.
  for (const lane of lanes) lane.catch((error: unknown) => stop.abort(error))
  await Promise.allSettled(lanes)
  await batches.flush()
  signal.throwIfAborted()
}

/** Small files on their way to a worker. */
function createBatches(
  { tree }: ApplyDeps,
  { perform, done }: FetchOptions,
): { add: (file: NewFile, bytes: number) => Promise<void>; flush: () => Promise<void> } {
  let files: NewFile[] = []
  let bytes = 0

  async function flush(): Promise<void> {
    const batch = files
    files = []
    bytes = 0
    if (batch.length === 0) return
    await perform({ part: 'files', tree, files: batch })
    for (const { stat } of batch) done(stat)
  }

  return {
    async add(file, length) {
      files.push(file)
      bytes += length
      // Who fills a batch waits for it; the others fill the next one.
      if (files.length >= BATCH.files || bytes >= BATCH.bytes) await flush()
    },
    flush,
  }
}

/** `rest`: what comes after `start` when the file is too large for memory. */
async function readSmall(
  content: AsyncIterable<Uint8Array>,
  { signal, received }: ApplyOptions,
): Promise<{ start: Uint8Array[]; length: number; rest: AsyncIterator<Uint8Array> | undefined }> {
  const rest = content[Symbol.asyncIterator]()
  const start: Uint8Array[] = []
  let length = 0
  for (;;) {
    const next = await rest.next()
    if (next.done === true) return { start, length, rest: undefined }
    signal.throwIfAborted()
    start.push(next.value)
    length += next.value.length
    received(next.value.length)
    if (length > SMALL) return { start, length, rest }
  }
}

async function writeLarge(
  files: Files,
  path: FilePath,
  stat: FileStat,
  start: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  { received, signal }: ApplyOptions,
): Promise<void> {
  const fd = createFile(path)
  const writer = createFileWriter()
  let offset = 0
  const write = async (chunk: Uint8Array): Promise<void> => {
    await writer.write(fd, offset, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    offset += chunk.length
  }
  try {
    for (const chunk of start) await write(chunk)
    for await (const chunk of { [Symbol.asyncIterator]: () => rest }) {
      signal.throwIfAborted()
      received(chunk.length)
      await write(chunk)
    }
    await writer.end()
    setFileAttributes(files, fd, path, stat)
  } finally {
    // A write under way must not outlive the descriptor.
    await writer.end().catch(() => undefined)
    closeSync(fd)
  }
}
