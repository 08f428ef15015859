import { posix } from 'node:path'
import { expandWord } from '#dockerfile'
import type { AddInstruction, Stage, Variables } from '#dockerfile'
import { invalidArgument } from '#errors'
import { parseDigest } from '#oci'
import { withinYears } from '../export/epoch.ts'
import { vertex } from '../graph/digest.ts'
import type { Edge, GitSource, HttpSource, Vertex } from '../graph/types.ts'
import { parseGitUrl } from '../sources/git/parse-git-url.ts'
import { copiedEdge } from './context/copied-edge.ts'
import { gitSource } from './context/git-source.ts'
import { fileNameOf, httpSource, isHttpAddress } from './context/http-source.ts'
import type { Conversion } from './conversion.ts'
import { withPlace } from './errors.ts'

const NAME = 'SOURCE_DATE_EPOCH'

type Facts = Pick<Conversion, 'definition' | 'options' | 'host' | 'platforms' | 'globals' | 'contexts' | 'effort'>

/**
 * The time that everything is said to be made at, in seconds, as the client says it or a global ARG: a number, `context`, or the name of a context or a stage
 * that is fetched. Undefined where there is none, as for directories of the client. From then on the argument is that number. Throws INVALID_ARGUMENT.
 * Source: moby/buildkit dockerfile2llb/epoch.go.
 */
export async function resolveSourceDate<F extends Facts>(facts: F): Promise<{ created: number | undefined; options: F['options'] }> {
  const { options, globals } = facts
  const text = options.buildArgs.get(NAME) ?? globals.variables.get(NAME) ?? ''
  if (text === '') return { created: undefined, options }
  if (/^-?\d+$/.test(text)) return { created: checked(Number(text), text), options }
  const found = await timeOf(await sourceNamed(text, facts), facts, `[internal] resolve ${NAME} ${text}`)
  // Attack: an archive with a file of the year 300000, which no date can say.
  const created = found === undefined ? undefined : checked(found, String(found))
  const value = String(created ?? '')
  if (globals.variables.get(NAME) !== undefined) globals.variables.set(NAME, value)
  const buildArgs = options.buildArgs.has(NAME) ? new Map([...options.buildArgs, [NAME, value]]) : options.buildArgs
  return { created, options: { ...options, buildArgs } }
}

/** Throws INVALID_ARGUMENT for a time whose year has not four digits. */
function checked(time: number, text: string): number {
  if (withinYears(time * 1000) !== time * 1000) throw invalidArgument(`invalid ${NAME}: ${text}`)
  return time
}

/** The only source of what is meant; undefined: it has another, or several. */
async function sourceNamed(name: string, facts: Facts): Promise<Vertex['op'] | undefined> {
  const { definition, contexts, platforms } = facts
  if (name === 'context') return onlySource(definition.context(new Set(), undefined))
  const loaded = await contexts.find(name, platforms.target)?.load(new Set())
  if (loaded !== undefined) return loaded.tree?.kind === 'known' ? onlySource(loaded.tree.edge) : undefined
  const stage = definition.dockerfile.stages.find(({ from }) => from.name === name.toLowerCase())
  if (stage === undefined) throw invalidArgument(`invalid ${NAME}: ${name}`)
  return withPlace(definition.file, () => sourceOfStage(stage, facts), stage.from.range)
}

/** A fetched context is one source, perhaps with steps on top that take a part of it. */
function onlySource({ vertex: top }: Edge): Vertex['op'] | undefined {
  const [input, ...others] = top.inputs
  if (input === undefined) return top.op
  return others.length === 0 ? onlySource(input) : undefined
}

/** What the ADD of a stage fetches that does nothing else. */
function sourceOfStage({ from, instructions }: Stage, { definition, options, globals, effort }: Facts): GitSource | HttpSource {
  const own = new Map<string, string>()
  const variables: Variables = { get: (name) => own.get(name) ?? (name === NAME ? undefined : globals.variables.get(name)) }
  const expand = (text: string): string => expandWord(text, variables, { escape: definition.dockerfile.escape, effort }).text
  if (expand(from.image) !== 'scratch') throw invalidArgument(`${NAME} stage must use FROM scratch`)
  let found: GitSource | HttpSource | undefined
  for (const instruction of instructions) {
    if (instruction.kind === 'arg') {
      for (const { name, value } of instruction.args) {
        const known = options.buildArgs.get(name) ?? (value === undefined ? undefined : expand(value))
        if (known !== undefined) own.set(name, known)
      }
    } else if (instruction.kind !== 'add') {
      throw invalidArgument(`${NAME} stage does not meet source-only requirements: unsupported ${instruction.kind} instruction`)
    } else {
      if (found !== undefined) throw invalidArgument(`${NAME} stage must contain exactly one remote ADD`)
      found = sourceOfAdd(instruction, expand)
    }
  }
  if (found === undefined) throw invalidArgument(`${NAME} stage must contain exactly one remote ADD`)
  return found
}

function sourceOfAdd(add: AddInstruction, expand: (text: string) => string): GitSource | HttpSource {
  const [written, ...others] = add.sources
  if (written === undefined || others.length > 0 || add.heredocs.length > 0) {
    throw invalidArgument(`${NAME} stage must contain exactly one remote ADD source`)
  }
  const url = expand(written)
  const checksum = add.checksum === undefined ? undefined : expand(add.checksum)
  const git = parseGitUrl(url)
  if (git !== undefined && !git.mayBePath) {
    return gitSource(git, git.keepGitDirectory ?? add.keepGitDirectory ?? false, git.checksum ?? checksum)
  }
  if (!isHttpAddress(url)) throw invalidArgument(`${NAME} stage source must be a single HTTP(S) or Git ADD`)
  return httpSource(url, { filename: fileNameOf(url), checksum: checksum === undefined ? undefined : parseDigest(checksum) })
}

async function timeOf(op: Vertex['op'] | undefined, { host }: Facts, name: string): Promise<number | undefined> {
  if (op?.kind === 'git') {
    const [first] = await host.readDirectory({ vertex: vertex({ ...op, commitTimes: true }, [], { name }), output: 0 }, '/')
    return first && seconds(first.mtime)
  }
  if (op?.kind !== 'http') return undefined
  const edge = { vertex: vertex(op, [], { name }), output: 0 }
  const [file] = await host.readDirectory(edge, '/')
  if (file === undefined) return undefined
  // The server has not said how old it is.
  if (file.mtime === 0n) return await timeOfArchive(edge, file.path, host)
  return seconds(file.mtime)
}

/** That of the newest file in it; undefined: it is no archive, or holds no files. */
async function timeOfArchive(edge: Edge, name: string, host: Facts['host']): Promise<number | undefined> {
  const unpacked = copiedEdge(edge, { source: `/${name}`, unpack: true, directoryContentsOnly: false }, `unpack ${name}`)
  let newest = 0n
  const left = ['/']
  for (let directory = left.pop(); directory !== undefined; directory = left.pop()) {
    for (const { path, mode, mtime } of await host.readDirectory(unpacked, directory)) {
      const type = mode & 0o170000
      if (type === 0o040000) left.push(posix.join(directory, path))
      if (type === 0o100000 && mtime > newest) newest = mtime
    }
  }
  return newest === 0n ? undefined : seconds(newest)
}

function seconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000_000n)
}
