import { copyFromContainer as fetchArchive, copyToContainer as sendArchive, isNotFound, statPath, type BodyStream } from '#client'
import { humanSize } from '#lib'
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { posix, resolve } from 'node:path'
import type { Cli } from '../../cli.ts'
import { extractTar } from './extract-tar.ts'
import { packPath } from './pack-path.ts'

/** `container:path`, or a local path with an empty container. */
export interface CopyArgument {
  container: string
  path: string
}

export interface CopyOptions {
  followLink: boolean
  archive: boolean
  quiet: boolean
}

/** One end of a copy. */
interface End {
  path: string
  exists: boolean
  isDirectory: boolean
}

/** Bits of Go's os.FileMode. */
const GO_DIRECTORY = 2 ** 31
const GO_SYMLINK = 2 ** 27
const GO_DEVICE = 2 ** 26
const GO_IRREGULAR = 2 ** 25 + 2 ** 24 + 2 ** 19

/** A colon separates container and path, unless the text is plainly a local path (`/x:y`, `./x:y`). */
export function splitCopyArgument(text: string): CopyArgument {
  const colon = text.indexOf(':')
  if (text.startsWith('/') || text.startsWith('.') || colon < 0) return { container: '', path: text }
  return { container: text.slice(0, colon), path: text.slice(colon + 1) }
}

/**
 * Where an archive is unpacked and what its root is called there, so that the outcome is cp's: into a directory that exists, onto a file,
 * or under a new name. `source/.` means the content of a directory. Throws Error with Docker's text for what cannot be.
 */
export function planCopy(source: End, destination: End): { directory: string; rootName: string } {
  const contentOnly = isContentOnly(source.path)
  const base = posix.basename(withoutTrailing(destination.path))
  const directory = posix.dirname(withoutTrailing(destination.path))
  if (destination.exists && destination.isDirectory) {
    return { directory: destination.path, rootName: contentOnly ? '.' : posix.basename(withoutTrailing(source.path)) }
  }
  if (destination.exists && source.isDirectory) throw new Error('cannot copy directory')
  if (!destination.exists && !source.isDirectory && /(?:\/|\/\.)$/.test(destination.path)) throw new Error('no such directory')
  return { directory, rootName: base }
}

/** Copies a local path, or a tar from standard input (`-`), into a container. */
export async function copyIntoContainer(cli: Cli, source: string, target: CopyArgument, options: CopyOptions): Promise<void> {
  const engine = cli.engine()
  const destination = await containerEnd(cli, target)
  const settings = { noOverwriteDirNonDir: true, copyUIDGID: options.archive }
  if (source === '-') {
    if (!destination.isDirectory) throw new Error(`destination "${target.container}:${target.path}" must be a directory`)
    return sendArchive(engine, target.container, destination.path, process.stdin, settings)
  }
  const from = localSource(source, options.followLink)
  const { directory, rootName } = planCopy(from, destination)
  const progress = createProgress(cli, options.quiet, 'Copying to container - ')
  try {
    await sendArchive(engine, target.container, directory, progress.count(packPath(from.path, rootName)), settings)
  } finally {
    progress.end()
  }
  progress.report(`${target.container}:${destination.path}`)
}

/** Copies a path of a container to this machine, or as a tar to standard output (`-`). */
export async function copyFromContainer(cli: Cli, source: CopyArgument, target: string, options: CopyOptions): Promise<void> {
  const engine = cli.engine()
  const destinationPath = target === '-' ? '-' : absolute(target)
  if (target !== '-') checkParent(destinationPath)
  let sourcePath = source.path
  let rootName: string | undefined
  if (options.followLink) {
    const linked = await linkTarget(cli, source)
    if (linked !== undefined) {
      // The copy keeps the name of the link, whatever it points to.
      rootName = posix.basename(withoutTrailing(source.path))
      sourcePath = linked
    }
  }
  const { response, stat } = await fetchArchive(engine, source.container, sourcePath)
  if (target === '-') return response.body.pipe((chunk) => cli.stdout.write(chunk))

  const from: End = { path: sourcePath, exists: true, isDirectory: (stat.mode & GO_DIRECTORY) !== 0 || stat.mode >= GO_DIRECTORY }
  const plan = planCopy(from, localDestination(destinationPath))
  const progress = createProgress(cli, options.quiet, 'Copying from container - ')
  const names = {
    from: stat.name,
    to: plan.rootName === posix.basename(withoutTrailing(sourcePath)) ? (rootName ?? plan.rootName) : plan.rootName,
  }
  try {
    await extractTar(
      progress.count(chunks(response.body)),
      plan.directory,
      isContentOnly(sourcePath) && plan.rootName === '.' ? undefined : names,
    )
  } finally {
    progress.end()
  }
  progress.report(destinationPath)
}

async function containerEnd(cli: Cli, target: CopyArgument): Promise<End> {
  const engine = cli.engine()
  let { path } = target
  try {
    let stat = await statPath(engine, target.container, path)
    if (hasBit(stat.mode, GO_SYMLINK)) {
      path = joinLink(path, stat.linkTarget)
      stat = await statPath(engine, target.container, path)
    }
    const special = hasBit(stat.mode, GO_DEVICE) ? 'got a device' : (stat.mode & GO_IRREGULAR) !== 0 ? 'got an irregular file' : undefined
    if (special !== undefined)
      throw new Error(`destination "${target.container}:${target.path}" must be a directory or a regular file: ${special}`)
    return { path, exists: true, isDirectory: hasBit(stat.mode, GO_DIRECTORY) }
  } catch (error) {
    // The parent may be there, so that the copy still works; the daemon tells when it is not, or when there is no such container.
    if (isNotFound(error)) return { path, exists: false, isDirectory: false }
    throw error
  }
}

async function linkTarget(cli: Cli, source: CopyArgument): Promise<string | undefined> {
  try {
    const stat = await statPath(cli.engine(), source.container, source.path)
    return hasBit(stat.mode, GO_SYMLINK) ? joinLink(source.path, stat.linkTarget) : undefined
  } catch {
    return undefined // fetching the archive gives the better error
  }
}

function joinLink(path: string, target: string): string {
  return posix.isAbsolute(target) ? target : posix.join(posix.dirname(withoutTrailing(path)), target)
}

/** Mode bits beyond 2^31 do not fit JavaScript's bitwise operators. */
function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1
}

function localSource(path: string, followLink: boolean): End {
  const full = absolute(path)
  const follows = followLink || /(?:\/|\/\.)$/.test(full)
  const plain = withoutTrailing(full)
  const stat = follows ? statSync(plain, { throwIfNoEntry: false }) : lstatSync(plain, { throwIfNoEntry: false })
  if (stat === undefined) throw new Error(`lstat ${plain}: no such file or directory`)
  if (!stat.isDirectory() && plain !== full) throw new Error('not a directory')
  return { path: followLink ? preserveTrailing(realpathSync(full), full) : full, exists: true, isDirectory: stat.isDirectory() }
}

function localDestination(path: string): End {
  const stat = statSync(path, { throwIfNoEntry: false })
  return { path, exists: stat !== undefined, isDirectory: stat?.isDirectory() === true }
}

function checkParent(path: string): void {
  const parent = posix.dirname(withoutTrailing(path))
  if (statSync(parent, { throwIfNoEntry: false }) === undefined)
    throw new Error(`invalid output path: directory ${JSON.stringify(parent)} does not exist`)
}

/** Absolute, with a trailing `/` or `/.` kept: they mean something. */
function absolute(path: string): string {
  return preserveTrailing(resolve(path), path)
}

function preserveTrailing(resolved: string, written: string): string {
  if (written === '.' || written.endsWith('/.')) return `${resolved === '/' ? '' : resolved}/.`
  return written.endsWith('/') && resolved !== '/' ? `${resolved}/` : resolved
}

function withoutTrailing(path: string): string {
  const stripped = path.replace(/(?:\/+\.?)+$/, '')
  return stripped === '' ? '/' : stripped
}

function isContentOnly(path: string): boolean {
  return path === '.' || path.endsWith('/.')
}

/** A response body as an iterable, one chunk at a time. */
async function* chunks(body: BodyStream): AsyncGenerator<Buffer> {
  let offer = Promise.withResolvers<Buffer | undefined>()
  let taken = Promise.withResolvers<void>()
  const done = body
    .pipe((chunk) => {
      offer.resolve(Buffer.from(chunk))
      return taken.promise
    })
    .then(() => offer.resolve(undefined))
  done.catch((error: unknown) => offer.reject(error))
  for (;;) {
    const chunk = await offer.promise
    if (chunk === undefined) return
    yield chunk
    const previous = taken
    offer = Promise.withResolvers()
    taken = Promise.withResolvers()
    previous.resolve()
  }
}

const REFRESH = 75
const SIZE_PRECISION = 3

/** Counts bytes; on a terminal it shows them while they grow. */
function createProgress(
  cli: Cli,
  quiet: boolean,
  title: string,
): {
  count(source: AsyncIterable<Buffer>): AsyncIterable<Buffer>
  end(): void
  report(to: string): void
} {
  let total = 0
  const show = (): void => cli.stderr.write(`\r\x1b[2K${title}${humanSize(total, SIZE_PRECISION)}`)
  const timer = quiet || !cli.stderr.isTerminal ? undefined : setInterval(show, REFRESH)
  return {
    async *count(source) {
      for await (const chunk of source) {
        total += chunk.length
        yield chunk
      }
    },
    end() {
      if (timer === undefined) return
      clearInterval(timer)
      cli.stderr.write('\r\x1b[2K')
    },
    report(to) {
      if (!quiet) cli.warn(`Successfully copied ${humanSize(total, SIZE_PRECISION)} to ${to}`)
    },
  }
}
