import { DockerfileError } from '../dockerfile-error.ts'
import { parseFlags } from '../flags.ts'
import type { RawInstruction } from '../read-source.ts'
import type { AddInstruction, CopyInstruction, CopySources, Heredoc, InstructionBase } from './types.ts'
import { parseHeredocWord } from '../words/heredoc-word.ts'
import { parseList } from '../words/split-words.ts'

const COMMON_FLAGS = { chown: 'text', chmod: 'text', link: 'boolean', exclude: 'texts' } as const

/** `COPY [flags] source… destination`, also as JSON. */
export function parseCopy(raw: RawInstruction, base: InstructionBase): CopyInstruction {
  const paths = splitPaths(raw, 'COPY')
  const { from, chown, chmod, link, parents, exclude } = parseFlags(raw.flags, { ...COMMON_FLAGS, from: 'text', parents: 'boolean' })
  return { ...base, kind: 'copy', ...paths, from, chown, chmod, link: link ?? false, parents: parents ?? false, excludes: exclude }
}

/** `ADD [flags] source… destination`, also as JSON. */
export function parseAdd(raw: RawInstruction, base: InstructionBase): AddInstruction {
  const paths = splitPaths(raw, 'ADD')
  const flags = parseFlags(raw.flags, { ...COMMON_FLAGS, 'keep-git-dir': 'boolean', checksum: 'text', unpack: 'boolean' })
  const { chown, chmod, link, exclude, checksum, unpack } = flags
  return {
    ...base,
    kind: 'add',
    ...paths,
    chown,
    chmod,
    link: link ?? false,
    parents: false,
    excludes: exclude,
    checksum,
    keepGitDirectory: flags['keep-git-dir'],
    unpack,
  }
}

function splitPaths(raw: RawInstruction, name: 'ADD' | 'COPY'): Pick<CopySources, 'sources' | 'heredocs' | 'destination'> {
  // `<< EOF` is one word.
  const words = parseList(raw.heredocs.length === 0 ? raw.rest : raw.rest.replaceAll(/(<<-?)[ \t]+/g, '$1'))
  const destination = words.pop()
  if (destination === undefined || words.length === 0) {
    throw new DockerfileError(`${name} requires at least two arguments, but only one was provided. Destination could not be determined`)
  }
  if (parseHeredocWord(destination) !== undefined) throw new DockerfileError(`${name} cannot accept a heredoc as a destination`)
  const heredocs: Heredoc[] = []
  const sources: string[] = []
  for (const word of words) {
    const begun = parseHeredocWord(word)
    // By name, last one first: two heredocs of one name are both the second, as in BuildKit.
    const heredoc = begun && raw.heredocs.findLast((candidate) => candidate.name === begun.name)
    if (heredoc === undefined) sources.push(word)
    else heredocs.push(heredoc)
  }
  return { sources, heredocs, destination }
}
