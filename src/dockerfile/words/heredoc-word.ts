/** `<<EOF` and its relatives. Source: moby/buildkit frontend/dockerfile/parser/parser.go. */

import { DockerfileError } from '../dockerfile-error.ts'
import { expandWord, splitForHeredocs } from './expand-word.ts'

/** The beginning of a heredoc; its content is in the lines below. */
export interface HeredocWord {
  readonly name: string
  readonly chomp: boolean
  readonly expand: boolean
  readonly descriptor: number
}

/** `<<EOF`, `3<<-"EOF"`. undefined: another word. */
export function parseHeredocWord(word: string): HeredocWord | undefined {
  const match = /^(\d{0,9})<<(-?)\s*([^<]+)$/.exec(word)
  if (match === null) return undefined
  const [, descriptor = '', dash, written = ''] = match
  const name = wordsOf(written, false)
  if (name.length !== 1) return undefined
  const quoted = wordsOf(written, true)
  // A word of which any part is quoted means that the content is taken literally: as in shells.
  return { name: name[0] ?? '', chomp: dash === '-', expand: name[0] === quoted[0], descriptor: Number(descriptor) }
}

/** Heredocs that a line begins, in order. */
export function heredocWords(line: string): HeredocWord[] {
  if (!line.includes('<<')) return []
  return (splitForHeredocs(line) ?? []).map(parseHeredocWord).filter((heredoc) => heredoc !== undefined)
}

/** Content without the tabs in front of its lines. */
export function chomp(content: string): string {
  return content.replaceAll(/^\t+/gm, '')
}

function wordsOf(text: string, keepQuotes: boolean): readonly string[] {
  try {
    return expandWord(text, new Map(), { escape: '\\', keepUnset: true, keepQuotes }).words
  } catch (error) {
    if (error instanceof DockerfileError) return []
    throw error
  }
}
