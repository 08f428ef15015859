import type { CommandLine } from '#dockerfile'
import { summarise } from '../step-name.ts'

/** What RUN runs: arguments in the form that the instruction has, or a file of its own. */
export type RunScript =
  | { readonly kind: 'command'; readonly args: readonly string[]; readonly summary: string | undefined }
  | { readonly kind: 'file'; readonly name: string; readonly content: string; readonly summary: string }

/** The whole line is `<<EOF`. */
const ONLY_HEREDOC = /^\s*\d*<<-?\s*(["']?)[^\s<"']+\1\s*$/

/**
 * Heredocs of RUN. A line that is nothing else runs the content: as a file when it begins with `#!`, else by the shell. Any other line goes to the shell with
 * all its heredocs, which knows what they mean.
 */
export function readScript({ args, heredocs }: CommandLine): RunScript {
  const [first] = heredocs
  const [line = ''] = args
  if (first === undefined) return { kind: 'command', args, summary: undefined }
  if (!ONLY_HEREDOC.test(line)) {
    const documents = heredocs.map(({ content, name }) => `\n${content}${name}`).join('')
    return { kind: 'command', args: [line + documents], summary: undefined }
  }
  const { trimmed: content, name } = first
  const summary = summarise(content)
  return content.startsWith('#!') ? { kind: 'file', name, content, summary } : { kind: 'command', args: [content], summary }
}
