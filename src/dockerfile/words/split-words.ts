/** Words of instructions as they are written. Source: moby/buildkit frontend/dockerfile/parser/line_parsers.go, split_command.go. */

import { WordsError } from '../dockerfile-error.ts'
import type { EscapeCharacter } from '../types.ts'

/** Words with their quotes and escapes: `a="b c" d\ e`. A quote that is open at the end goes up to it. */
export function splitWords(text: string, escape: EscapeCharacter): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (quote === '' && /\s/.test(character)) {
      if (word) words.push(word)
      word = undefined
      continue
    }
    word ??= ''
    if (character === escape && quote !== "'") {
      if (i === text.length - 1) break // nothing is left to escape
      word += character + text.charAt(++i)
      continue
    }
    if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (character === quote) quote = ''
    word += character
  }
  if (word) words.push(word)
  return words
}

/** At blanks, whatever is quoted. */
export function splitBlanks(text: string): string[] {
  return text === '' ? [] : text.split(/[\t\v\f\r ]+/)
}

/**
 * The texts of a JSON array; undefined when it is none, as then it is plain text that begins with a bracket. Throws {@link WordsError} for an array
 * with other things than texts.
 */
export function parseJsonList(text: string): string[] | undefined {
  const trimmed = text.trimStart()
  if (!trimmed.startsWith('[')) return undefined
  let list: unknown
  try {
    list = JSON.parse(trimmed)
  } catch {
    return undefined
  }
  if (!Array.isArray(list)) return undefined
  if (!list.every((entry) => typeof entry === 'string')) {
    throw new WordsError('when using JSON array syntax, arrays must be comprised of strings only')
  }
  return list
}

/** The JSON form or words at blanks. */
export function parseList(text: string): string[] {
  return parseJsonList(text) ?? splitBlanks(text)
}

/**
 * `--name=value` in front of an instruction's arguments, and what is behind them. Quotes and backslashes are resolved here, whatever the escape character.
 * `--` ends the flags.
 */
export function splitFlags(text: string): { flags: string[]; rest: string } {
  const flags: string[] = []
  let i = 0
  for (;;) {
    while (/\s/.test(text.charAt(i))) i++
    if (!text.startsWith('--', i)) return { flags, rest: text.slice(i).trim() }
    let flag = ''
    let quote = ''
    for (; i < text.length; i++) {
      const character = text.charAt(i)
      if (quote === '' && /\s/.test(character)) break
      if (character === quote) quote = ''
      else if (quote === '' && (character === '"' || character === "'")) quote = character
      else if (character === '\\') flag += text.charAt(++i)
      else flag += character
    }
    if (flag === '--') return { flags, rest: text.slice(i).trim() }
    flags.push(flag)
  }
}
