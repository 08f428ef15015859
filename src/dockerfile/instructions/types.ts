/** Instructions as read, with the values of flags that are read later. */

import type { TextRange } from '../ranges.ts'

/**
 * What all instructions have. Words are as written unless said otherwise: with quotes, escapes and variables (see `expandWord`). Of flags quotes and escapes
 * are gone already; one without a value counts as not said.
 */
export interface InstructionBase {
  /** As written: `RUN`, `run`. */
  readonly keyword: string
  /** The whole instruction with continued lines put together, without heredocs' contents: `RUN apk add a b`. Docker calls a step so. */
  readonly source: string
  readonly range: TextRange
  /** Lines of comment directly in front of it, without `#`. `comments.at(-1)` may describe an ARG or a stage. */
  readonly comments: readonly string[]
}

export interface FromInstruction extends InstructionBase {
  readonly kind: 'from'
  /** `alpine:$VERSION`, `scratch`, name of an earlier stage. */
  readonly image: string
  /** In lower case; undefined: the stage has a number only. */
  readonly name: string | undefined
  /** `--platform`, as written. */
  readonly platform: string | undefined
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: 'arg'
  readonly args: readonly ArgDefinition[]
}

export interface ArgDefinition {
  readonly name: string
  /** undefined: `ARG name`, without default. */
  readonly value: string | undefined
  /** `# name text` in front of the instruction. */
  readonly description: string | undefined
}

/** Also the form of CMD and ENTRYPOINT. No variables are expanded in it: that is the shell's task. */
export interface CommandLine {
  readonly form: 'exec' | 'shell'
  /** shell: one text (none when there is nothing after the instruction). exec: program and arguments. */
  readonly args: readonly string[]
  /** Only of the shell form. A line that is only `<<EOF` means: run the content. */
  readonly heredocs: readonly Heredoc[]
}

export interface Heredoc {
  /** `EOF`; also the name of the file in COPY and ADD. */
  readonly name: string
  /** As written, with the last line's end. With `<<-` tabs in front of lines are still there: `trimmed` has none. */
  readonly content: string
  /** What is meant: tabs at the beginning of lines gone for `<<-`. */
  readonly trimmed: string
  /** `<<-`. */
  readonly chomp: boolean
  /** The word is not quoted: variables in the content count in COPY and ADD. */
  readonly expand: boolean
  /** `3<<EOF`; 0 unless written. */
  readonly descriptor: number
  /** Of the content, without the line that ends it. */
  readonly range: TextRange
}

export interface RunInstruction extends InstructionBase {
  readonly kind: 'run'
  /** Values of `--mount`, as written; they have passed what can be checked without variables. See `parseMount`. */
  readonly mounts: readonly string[]
  /** `default`, `none`, `host`, or the name of a user-defined network, which BuildKit does not know. */
  readonly network: string
  readonly security: 'sandbox' | 'insecure'
  /** Values of `--device`, as written. See `parseDevice`. */
  readonly devices: readonly string[]
  readonly command: CommandLine
}

/** ADD and COPY. */
export interface CopySources {
  /** Paths, wildcards, URLs, as written; heredocs are not among them. */
  readonly sources: readonly string[]
  /** Files given in the Dockerfile. */
  readonly heredocs: readonly Heredoc[]
  readonly destination: string
  readonly chown: string | undefined
  readonly chmod: string | undefined
  readonly link: boolean
  readonly parents: boolean
  readonly excludes: readonly string[]
}

export interface CopyInstruction extends InstructionBase, CopySources {
  readonly kind: 'copy'
  /** `--from`, as written: stage name or number, image, named context. undefined: the build's context. */
  readonly from: string | undefined
}

export interface AddInstruction extends InstructionBase, CopySources {
  readonly kind: 'add'
  readonly checksum: string | undefined
  /** undefined: not said. */
  readonly keepGitDirectory: boolean | undefined
  /** undefined: local archives are unpacked, others not. */
  readonly unpack: boolean | undefined
}

/** ENV and LABEL. */
export interface KeyValue {
  readonly key: string
  readonly value: string
  /** `ENV key value`: without `=`. Its value is all the rest of the line, blanks included; it is expanded as any other. */
  readonly legacy: boolean
}

export interface EnvInstruction extends InstructionBase {
  readonly kind: 'env'
  readonly entries: readonly KeyValue[]
}

export interface LabelInstruction extends InstructionBase {
  readonly kind: 'label'
  readonly entries: readonly KeyValue[]
}

export interface CmdInstruction extends InstructionBase {
  readonly kind: 'cmd'
  readonly command: CommandLine
}

export interface EntrypointInstruction extends InstructionBase {
  readonly kind: 'entrypoint'
  readonly command: CommandLine
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: 'shell'
  readonly shell: readonly string[]
}

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: 'workdir'
  readonly path: string
}

export interface UserInstruction extends InstructionBase {
  readonly kind: 'user'
  readonly user: string
}

export interface ExposeInstruction extends InstructionBase {
  readonly kind: 'expose'
  /** `80`, `80/udp`, `8000-8010`, `$PORT`. See `parseExposedPorts`. */
  readonly ports: readonly string[]
}

export interface VolumeInstruction extends InstructionBase {
  readonly kind: 'volume'
  readonly paths: readonly string[]
}

export interface StopSignalInstruction extends InstructionBase {
  readonly kind: 'stopsignal'
  readonly signal: string
}

/** Durations in nanoseconds; absent: inherited. `test` begins with `NONE`, `CMD` or `CMD-SHELL`, as in an image's config. */
export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: 'healthcheck'
  readonly test: readonly string[]
  readonly interval: number | undefined
  readonly timeout: number | undefined
  readonly startPeriod: number | undefined
  readonly startInterval: number | undefined
  readonly retries: number | undefined
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'onbuild'
  /** The inner instruction as it goes into the image's config, heredocs included. Read it with `parseInstruction`. */
  readonly trigger: string
}

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: 'maintainer'
  readonly maintainer: string
}

/** All that may be inside of a stage. */
export type StageInstruction =
  | AddInstruction
  | ArgInstruction
  | CmdInstruction
  | CopyInstruction
  | EntrypointInstruction
  | EnvInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | LabelInstruction
  | MaintainerInstruction
  | OnbuildInstruction
  | RunInstruction
  | ShellInstruction
  | StopSignalInstruction
  | UserInstruction
  | VolumeInstruction
  | WorkdirInstruction

export type Instruction = FromInstruction | StageInstruction

/** What needs neither a container nor a file: it changes the configuration of an image only. */
export type ChangeInstruction =
  | CmdInstruction
  | EntrypointInstruction
  | EnvInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | LabelInstruction
  | OnbuildInstruction
  | StopSignalInstruction
  | UserInstruction
  | VolumeInstruction
  | WorkdirInstruction

// ── Flags that may hold variables, read after expansion ──────────────────────────────────────────────────────────────────────────────────────

interface MountBase {
  /** undefined: not said. Each kind has its own default. */
  readonly target: string | undefined
  readonly readonly: boolean
}

/** Where the content of a mount comes from. */
interface MountSource {
  /** Path inside of `from`; undefined: its root. */
  readonly source: string | undefined
  /** Stage, image or named context; undefined: the build's context (bind), an empty directory (cache). */
  readonly from: string | undefined
}

/** Owner and permission bits; undefined: not said. */
interface MountOwner {
  readonly mode: number | undefined
  readonly uid: number | undefined
  readonly gid: number | undefined
}

export interface BindMount extends MountBase, MountSource {
  readonly type: 'bind'
}

export interface CacheMount extends MountBase, MountSource, MountOwner {
  readonly type: 'cache'
  /** undefined: the target. */
  readonly id: string | undefined
  readonly sharing: 'shared' | 'private' | 'locked'
}

export interface TmpfsMount extends MountBase {
  readonly type: 'tmpfs'
  /** Bytes; 0: no limit. */
  readonly size: number
}

/** Without target and `env`: `/run/secrets/<last part of id>`. */
export interface SecretMount extends MountBase, MountOwner {
  readonly type: 'secret'
  /** Also when it was written as `source`, or not at all: then the last part of the target. */
  readonly id: string
  /** Name of the variable that holds the secret. */
  readonly env: string | undefined
  readonly required: boolean
}

export interface SshMount extends MountBase, MountOwner {
  readonly type: 'ssh'
  /** `default` unless said. */
  readonly id: string
  readonly required: boolean
}

/** `RUN --mount=…`. */
export type Mount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount

/** `RUN --device=…`. */
export interface Device {
  /** CDI name: `vendor.com/class=name`. */
  readonly name: string
  readonly required: boolean
}

/** What a word of EXPOSE means. */
export interface ExposedPorts {
  /** `80/tcp`, each port of a range. */
  readonly ports: readonly string[]
  /** It names an address or a port of the host, which means nothing here: rule ExposeInvalidFormat. */
  readonly hasHostPart: boolean
  /** `80/TCP`: rule ExposeProtoCasing. */
  readonly hasUpperCaseProtocol: boolean
}
