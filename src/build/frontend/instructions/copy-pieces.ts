import { posix } from 'node:path'
import { invalidArgument } from '#errors'
import { parseDigest } from '#oci'
import { PLAIN_COPY } from '../../graph/plain-copy.ts'
import type { CopyAction, FileOp, VertexMeta } from '../../graph/types.ts'
import { parseGitUrl } from '../../sources/git/parse-git-url.ts'
import type { GitUrl } from '../../sources/git/parse-git-url.ts'
import { gitSource } from '../context/git-source.ts'
import { fileNameOf, httpSource, isHttpAddress } from '../context/http-source.ts'
import { rooted } from '../context/paths.ts'
import { lint } from '../conversion.ts'
import { stepTree } from '../tree.ts'
import type { Tree } from '../tree.ts'
import type { CopyPiece } from './chain-actions.ts'
import type { InstructionContext } from './instruction-context.ts'

/** COPY or ADD with all variables expanded. */
export interface CopyRequest {
  readonly from: Tree
  /** `from` is the build's context. */
  readonly fromContext: boolean
  readonly sources: readonly string[]
  readonly heredocs: readonly { readonly name: string; readonly content: string }[]
  readonly destination: string
  readonly parents: boolean
  /** Absent for COPY, which takes files only. */
  readonly add:
    | { readonly checksum: string | undefined; readonly keepGitDirectory: boolean | undefined; readonly unpack: boolean | undefined }
    | undefined
  /** What holds for all sources. */
  readonly common: Pick<
    CopyAction,
    'target' | 'owner' | 'mode' | 'timestamp' | 'createTargetParents' | 'excludePatterns' | 'alwaysReplaceExisting'
  >
  /** `--chown=…`, for the history. */
  readonly flags: readonly string[]
}

type AddOptions = NonNullable<CopyRequest['add']>

/**
 * The copies that an instruction consists of, and which of its sources are paths of the context or stage. What ADD fetches is shown under the
 * step's name and place, too. Source: moby/buildkit dockerfile2llb/convert_copy.go.
 */
export function copyPieces(
  request: CopyRequest,
  { name, source: place }: VertexMeta,
  context: InstructionContext,
): { pieces: CopyPiece[]; locals: readonly string[] } {
  const { sources, heredocs, add } = request
  const shown = { name, ...(place !== undefined && { source: place }) }
  if (add?.checksum !== undefined) checkChecksum(sources)
  const locals: string[] = []
  const pieces = sources.map((source): CopyPiece => {
    const git = parseGitUrl(source)
    if (git !== undefined && !git.mayBePath) return gitPiece(git, requireAdd(add, 'a git ref'), shown, request)
    if (isHttpAddress(source)) return httpPiece(source, requireAdd(add, 'a URL'), shown, request)
    locals.push(source)
    return localPiece(source, request, context)
  })
  return { pieces: [...pieces, ...heredocs.map((file) => heredocPiece(file, request))], locals }
}

function requireAdd(add: AddOptions | undefined, what: string): AddOptions {
  if (add === undefined) throw invalidArgument(`source can't be ${what} for COPY`)
  return add
}

function checkChecksum(sources: readonly string[]): void {
  if (sources.length !== 1) throw invalidArgument("checksum can't be specified for multiple sources")
  const [source = ''] = sources
  const git = parseGitUrl(source)
  if (!isHttpAddress(source) && (git === undefined || git.mayBePath)) throw invalidArgument('checksum requires HTTP(S) or Git sources')
}

function gitPiece(url: GitUrl, { checksum, keepGitDirectory }: AddOptions, shown: VertexMeta, { common }: CopyRequest): CopyPiece {
  if (keepGitDirectory !== undefined && url.keepGitDirectory !== undefined && keepGitDirectory !== url.keepGitDirectory) {
    throw invalidArgument('inconsistent keep-git-dir configuration')
  }
  if (checksum !== undefined && url.checksum !== undefined && checksum !== url.checksum) {
    throw invalidArgument(`checksum mismatch ${JSON.stringify(checksum)} != ${JSON.stringify(url.checksum)}`)
  }
  const from = stepTree(gitSource(url, url.keepGitDirectory ?? keepGitDirectory ?? false, url.checksum ?? checksum), [], shown)
  return { from, action: { ...PLAIN_COPY, ...common, source: '/', directoryContentsOnly: true } }
}

function httpPiece(url: string, { checksum, unpack = false }: AddOptions, shown: VertexMeta, { common }: CopyRequest): CopyPiece {
  const filename = fileNameOf(url)
  const from = stepTree(httpSource(url, { filename, checksum: checksum === undefined ? undefined : parseDigest(checksum) }), [], shown)
  return { from, action: { ...PLAIN_COPY, ...common, source: `/${filename}`, unpack } }
}

function localPiece(written: string, request: CopyRequest, context: InstructionContext): CopyPiece {
  const { common, parents, add, from } = request
  lintIgnored(written, request, context)
  const { source, includePatterns, requiredPaths } = parents
    ? withParents(written)
    : { source: rooted(written), includePatterns: [], requiredPaths: [] }
  return {
    from,
    action: {
      ...common,
      action: 'copy',
      source,
      followSymlink: true,
      directoryContentsOnly: true,
      unpack: add !== undefined && (add.unpack ?? true),
      allowWildcard: true,
      allowEmptyWildcard: true,
      includePatterns,
      requiredPaths,
    },
  }
}

/** `--parents`: directories above a file are copied along, those behind `/./` where it is written. */
function withParents(written: string): Pick<CopyAction, 'source' | 'includePatterns' | 'requiredPaths'> {
  const pivot = written.indexOf('/./')
  const source = rooted(pivot < 0 ? '/' : written.slice(0, pivot))
  const pattern = rooted(pivot < 0 ? written : written.slice(pivot + '/./'.length))
  return {
    source,
    includePatterns: [pattern.slice(1)],
    requiredPaths: hasWildcard(source) || hasWildcard(pattern) ? [] : [posix.join(source, pattern)],
  }
}

function hasWildcard(path: string): boolean {
  return /[*?[]/.test(path.replace(/\\./gs, ''))
}

function heredocPiece({ name, content }: CopyRequest['heredocs'][number], { common }: CopyRequest): CopyPiece {
  const path = rooted(name)
  const op: FileOp = { kind: 'file', actions: [{ action: 'mkfile', input: -1, output: 0, path, mode: 0o644, data: Buffer.from(content) }] }
  return { from: stepTree(op, [], { name: '[internal] preparing inline document' }), action: { ...PLAIN_COPY, ...common, source: path } }
}

/** CopyIgnoredFile. Where an exception in the ignore file may bring something back it cannot be told. */
function lintIgnored(written: string, { fromContext, add }: CopyRequest, { conversion, command }: InstructionContext): void {
  const { ignore } = conversion
  if (!fromContext || ignore === undefined) return
  const path = posix.normalize(written).replace(/(.)\/$/, '$1')
  const inside = path === '.' ? '' : path.replace(/^\//, '')
  const ignored = inside === '' ? ignore.patterns.some((pattern) => /^(?:\*|\*\*|\*\*\/\*)$/.test(pattern)) : ignore.ignores(inside)
  if (!ignored || ignore.mayExceptBelow(literalDirectory(inside))) return
  lint(conversion, 'CopyIgnoredFile', [add === undefined ? 'Copy' : 'Add', path], command.instruction.range)
}

/** A path up to its first part with a wildcard; all of it where there is none. */
function literalDirectory(path: string): string {
  const parts = path.split('/')
  const wild = parts.findIndex(hasWildcard)
  return parts.slice(0, wild < 0 ? parts.length : wild).join('/')
}
