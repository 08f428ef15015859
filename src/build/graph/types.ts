/**
 * The build graph: what a build may consist of. Data only; `digest.ts` names a vertex by its content, `solver/` makes it true.
 *
 * The operations are those of BuildKit's low-level builder (moby/buildkit solver/pb/ops.proto), so that definitions made by other clients fit, with two
 * things more: networks by name, and the place in the Dockerfile that a vertex came from.
 */

import type { Digest, Platform } from '#oci'
import type { ChainId } from '#snapshots'

/** One operation and where its inputs come from. Immutable; two with the same `id` are the same work. */
export interface Vertex {
  /** Digest of operation and inputs; names, progress groups and places in files do not count. */
  readonly id: Digest
  readonly op: Op
  readonly inputs: readonly Edge[]
  readonly meta: VertexMeta
}

/** One of the file systems that a vertex gives. */
export interface Edge {
  readonly vertex: Vertex
  readonly output: number
}

/** What does not change the result. */
export interface VertexMeta {
  /** As progress displays show it: `[build 2/5] RUN make`. */
  readonly name: string
  /** Runs although there is a result in the cache. */
  readonly ignoreCache?: boolean
  readonly progressGroup?: { id: string; name: string; weak: boolean }
  /** Where it is written, for errors. */
  readonly source?: SourceRange
}

/** Lines count from 1, both ends are included. */
export interface SourceRange {
  readonly file: SourceFile
  readonly start: number
  readonly end: number
}

export interface SourceFile {
  readonly name: string
  readonly text: string
}

export type Op = SourceOp | ExecOp | FileOp | MergeOp | DiffOp

/** What comes from outside of the build. */
export type SourceOp = ImageSource | LocalSource | GitSource | HttpSource | LayoutSource

/** Index into a vertex's `inputs`; -1: an empty file system. */
export type InputIndex = number

/** `local`: what is here, else pulled. `pull`: the registry is asked whether the name means something new. */
export type ResolveMode = 'local' | 'pull'

export interface ImageSource {
  readonly kind: 'image'
  /** Full name; with a digest when it has been resolved, which it is before it is solved for a reproducible key. */
  readonly reference: string
  readonly platform: Platform
  readonly resolveMode: ResolveMode
  /** Of one that was looked up and is here: its layers, which the build holds. Its name may be another one's by now. */
  readonly chain?: ChainId
}

/** A directory of the client. */
export interface LocalSource {
  readonly kind: 'local'
  /** As the client calls it: `context`, `dockerfile`. */
  readonly name: string
  /** Of a client with several sessions; absent: the build's own. */
  readonly session?: string
  readonly includePatterns: readonly string[]
  readonly excludePatterns: readonly string[]
  readonly followPaths: readonly string[]
  /** Together with the client's own key: what is sent again to the same directory of ours. */
  readonly sharedKeyHint: string
}

export interface GitSource {
  readonly kind: 'git'
  /** `https://…`, `ssh://…`, `git@host:path`, `git://…`, `file://` is refused. */
  readonly remote: string
  /** Branch, tag or commit; empty: the default branch. */
  readonly ref: string
  /** Commit, or the beginning of one, that `ref` must be. */
  readonly checksum?: string
  /** Inside the repository; empty: all of it. */
  readonly subdirectory: string
  readonly keepGitDirectory: boolean
  readonly skipSubmodules: boolean
  /** `checksum`, a whole id, is fetched as it is: nobody asks what `ref` means by now. */
  readonly fetchByCommit?: true
  /** Files have the time of the commit, not that of the checkout. */
  readonly commitTimes?: true
  /** Ids of secrets. */
  readonly authTokenSecret: string
  readonly authHeaderSecret: string
  /** SSH agent of the client, by id; absent: none. */
  readonly ssh?: string
  readonly knownHosts?: string
}

/** A file by URL; the result has it as its only entry. */
export interface HttpSource {
  readonly kind: 'http'
  readonly url: string
  readonly checksum?: Digest
  /** Empty: by the answer's headers, else by the URL. */
  readonly filename: string
  /** Permission bits; absent: 0600. */
  readonly mode?: number
  readonly uid: number
  readonly gid: number
  /** Id of a secret with the value of the Authorization header; empty: `HTTP_AUTH_HEADER_<host>`, `HTTP_AUTH_TOKEN_<host>` where the client has them. */
  readonly authHeaderSecret: string
}

/** An image in an OCI layout of the client. */
export interface LayoutSource {
  readonly kind: 'layout'
  readonly session?: string
  /** The client's id for the store. */
  readonly store: string
  /** `name@sha256:…`. */
  readonly reference: string
  readonly platform: Platform
}

export interface ExecOp {
  readonly kind: 'exec'
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  /** `user[:group]` as in a Dockerfile; empty: root. */
  readonly user: string
  /** Empty: one that is the same for all builds. */
  readonly hostname: string
  /** `default`, `none`, `host`, or `{ name }` of a user-defined network. */
  readonly network: 'default' | 'none' | 'host' | { readonly name: string }
  readonly security: 'sandbox' | 'insecure'
  readonly mounts: readonly Mount[]
  readonly secretEnv: readonly SecretEnv[]
  /** Given to the process, and part of no key: `HTTP_PROXY=…`. */
  readonly proxyEnv: readonly string[]
  /** An address, or `host-gateway`. */
  readonly extraHosts: readonly { host: string; address: string }[]
  readonly ulimits: readonly { name: string; soft: number; hard: number }[]
  readonly cgroupParent: string
  /** Limits of the step; 0: none. `cpuset*` empty: none. */
  readonly limits: StepLimits
  readonly platform: Platform
  /** CDI devices as they are written: a name, a kind, a class. Absent: none. */
  readonly devices?: readonly { readonly name: string; readonly optional: boolean }[]
  /** Absent: 0. */
  readonly validExitCodes?: readonly number[]
}

export interface StepLimits {
  readonly memory: number
  readonly memorySwap: number
  readonly cpuShares: number
  readonly cpuPeriod: number
  readonly cpuQuota: number
  readonly cpusetCpus: string
  readonly cpusetMems: string
  /** Bytes of /dev/shm; 0: 64 MiB. */
  readonly shmSize: number
}

export interface SecretEnv {
  readonly id: string
  readonly name: string
  readonly optional: boolean
}

/** The mount at `/` is the root file system; its output is what the step leaves. */
export type Mount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount

export interface BindMount {
  readonly type: 'bind'
  readonly target: string
  readonly input: InputIndex
  /** Path inside the input; empty: its root. */
  readonly selector: string
  readonly readonly: boolean
  /** Which output of the vertex it becomes; -1: what is written is dropped. */
  readonly output: number
  /** Inputs that are only read may be known by content: the step then depends on the files, not on how they came to be. */
  readonly contentKey: boolean
}

export interface CacheMount {
  readonly type: 'cache'
  readonly target: string
  readonly id: string
  readonly sharing: 'shared' | 'private' | 'locked'
  readonly readonly: boolean
  /** What it holds at first; -1: nothing. */
  readonly input: InputIndex
  readonly selector: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

export interface TmpfsMount {
  readonly type: 'tmpfs'
  readonly target: string
  /** Bytes; 0: no limit of its own. */
  readonly size: number
}

/** One file that the client has, by its id there. */
interface ClientFileMount {
  readonly target: string
  readonly id: string
  readonly optional: boolean
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

export interface SecretMount extends ClientFileMount {
  readonly type: 'secret'
}

export interface SshMount extends ClientFileMount {
  readonly type: 'ssh'
}

export interface FileOp {
  readonly kind: 'file'
  readonly actions: readonly FileAction[]
}

/** `input`: an {@link InputIndex}, or `inputs.length + n` for what action `n` left. `output`: -1 for what only later actions need. */
export type FileAction = { readonly input: number; readonly output: number } & (
  | CopyAction
  | MakeFile
  | MakeDirectory
  | RemovePath
  | MakeLink
)

/** By number, or by name as the passwd and group files of the input say; absent: as in the source. */
export interface Owner {
  readonly user?: number | string
  readonly group?: number | string
}

export interface CopyAction {
  readonly action: 'copy'
  /** As `input`: the file system that is copied from. */
  readonly from: number
  /** Absolute, in `from`; may be a pattern, see `allowWildcard`. */
  readonly source: string
  readonly target: string
  readonly owner?: Owner
  /** Permission bits, or symbolic as chmod(1) reads it; absent: as in the source. */
  readonly mode?: number | string
  readonly followSymlink: boolean
  /** Of a directory only what is in it. */
  readonly directoryContentsOnly: boolean
  /** A tar archive is unpacked instead. */
  readonly unpack: boolean
  readonly createTargetParents: boolean
  readonly allowWildcard: boolean
  readonly allowEmptyWildcard: boolean
  /** Milliseconds since the epoch, given to all that is made; absent: as in the source. */
  readonly timestamp?: number
  readonly includePatterns: readonly string[]
  readonly excludePatterns: readonly string[]
  /** Parents of a file that is included are copied with their attributes. */
  readonly alwaysReplaceExisting: boolean
  /** Only what is below these must be there: a pattern that names nothing is an error otherwise. */
  readonly requiredPaths: readonly string[]
}

export interface MakeFile {
  readonly action: 'mkfile'
  readonly path: string
  readonly mode: number
  readonly data: Uint8Array
  readonly owner?: Owner
  readonly timestamp?: number
}

export interface MakeDirectory {
  readonly action: 'mkdir'
  readonly path: string
  readonly mode: number
  readonly makeParents: boolean
  readonly owner?: Owner
  readonly timestamp?: number
}

export interface RemovePath {
  readonly action: 'rm'
  readonly path: string
  readonly allowNotFound: boolean
  readonly allowWildcard: boolean
}

export interface MakeLink {
  readonly action: 'symlink'
  /** What the link says. */
  readonly target: string
  readonly path: string
  readonly owner?: Owner
  readonly timestamp?: number
}

/** The inputs on top of each other, the last one highest; their layers are not copied. */
export interface MergeOp {
  readonly kind: 'merge'
}

/** What must be applied to `inputs[lower]` to get `inputs[upper]`. */
export interface DiffOp {
  readonly kind: 'diff'
  readonly lower: InputIndex
  readonly upper: InputIndex
}
