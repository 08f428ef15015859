/**
 * Variables, quotes and escapes of a word, as BuildKit's own small shell lexer sees them. Source: moby/buildkit frontend/dockerfile/shell/lex.go.
 */

import { DockerfileError } from '../dockerfile-error.ts'
import { Effort } from '../effort.ts'
import type { Expansion, ExpandOptions, Variables } from '../types.ts'
import { replaceMatches, trimPrefix, trimSuffix } from './shell-pattern.ts'
import { WordList } from './word-list.ts'

/** Characters. A few lines `ENV A=$A$A` would fill the memory otherwise. */
const MAX_EXPANSION = 256 * 1024

/** `${a:-${b:-…}}`: each level takes a stack frame. */
const MAX_DEPTH = 100

/**
 * The value of a word. Forms of variables: `$name`, `${name}`, `${name:-word}`, `:+`, `:?`, the same without colon (then empty counts as set),
 * `${name#pattern}`, `##`, `%`, `%%`, `${name/pattern/word}`, `//`. Throws {@link DockerfileError} without range: `failed to process "…": …`.
 */
export function expandWord(word: string, variables: Variables, options: ExpandOptions): Expansion {
  const lexer = new WordLexer(word, variables, options)
  try {
    const { text, words } = lexer.readUntil(undefined, options.keepEscapes === true)
    return { text, words, used: lexer.used, unset: lexer.unset }
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error
    throw new DockerfileError(`failed to process ${JSON.stringify(word)}: ${error.message}`, undefined, { cause: error })
  }
}

/** The words of a line in which quotes, escapes and variables stay, and `<< EOF` is one word. undefined: a quote is open. */
export function splitForHeredocs(line: string): readonly string[] | undefined {
  const options: ExpandOptions = { escape: '\\', keepQuotes: true, keepEscapes: true, keepUnset: true }
  try {
    return new WordLexer(line, new Map(), options, true).readUntil(undefined, true).words
  } catch (error) {
    if (error instanceof DockerfileError) return undefined
    throw error
  }
}

class WordLexer {
  readonly used: Set<string> = new Set()
  readonly unset: Set<string> = new Set()
  readonly #characters: readonly string[]
  readonly #variables: Variables
  readonly #options: ExpandOptions
  readonly #effort: Effort
  readonly #joinHeredocs: boolean
  #position = 0
  #depth = 0
  #keepEscapes = false

  constructor(word: string, variables: Variables, options: ExpandOptions, joinHeredocs = false) {
    this.#characters = Array.from(word)
    this.#variables = variables
    this.#options = options
    this.#effort = options.effort ?? new Effort()
    this.#joinHeredocs = joinHeredocs
  }

  /** Up to the character `stop`, which is taken, too; undefined: up to the end. */
  readUntil(stop: string | undefined, keepEscapes: boolean): { text: string; words: readonly string[] } {
    if (++this.#depth > MAX_DEPTH) throw new DockerfileError('substitutions are nested too deeply')
    const outer = this.#keepEscapes
    this.#keepEscapes = keepEscapes
    try {
      return this.#readUntil(stop)
    } finally {
      this.#depth--
      this.#keepEscapes = outer
    }
  }

  #readUntil(stop: string | undefined): { text: string; words: readonly string[] } {
    let text = ''
    const words = new WordList()
    for (let character = this.#peek(); character !== undefined; character = this.#peek()) {
      if (character === stop) {
        this.#position++
        return { text, words: words.end() }
      }
      const quote = this.#options.ignoreQuotes === true ? undefined : character
      if (character === '$') {
        const value = this.#readVariable()
        words.add(value)
        text += value
      } else if (quote === "'" || quote === '"') {
        const quoted = quote === "'" ? this.#readSingleQuoted() : this.#readDoubleQuoted()
        words.addUnsplit(quoted)
        text += quoted
      } else if (this.#joinHeredocs && character === '<') {
        const start = this.#readHeredocStart()
        words.addUnsplit(start)
        text += start
      } else if (character === this.#options.escape) {
        const escaped = this.#readEscaped()
        words.addUnsplit(escaped)
        text += escaped
      } else {
        this.#position++
        words.add(character)
        text += character
      }
      if (text.length > MAX_EXPANSION) throw new DockerfileError(`value of more than ${MAX_EXPANSION} characters`)
    }
    if (stop !== undefined) throw new DockerfileError(`unexpected end of statement while looking for matching ${stop}`)
    return { text, words: words.end() }
  }

  #readEscaped(): string {
    const escape = this.#keepEscapes ? this.#options.escape : ''
    this.#position++
    return escape + (this.#next() ?? '')
  }

  /** `<<` with the blanks behind it, which belong to the word. */
  #readHeredocStart(): string {
    this.#position++
    if (this.#peek() !== '<') return '<'
    this.#position++
    let start = '<<'
    while (/^[ \t]$/.test(this.#peek() ?? '')) start += this.#next() ?? ''
    return start
  }

  #readSingleQuoted(): string {
    const start = this.#position
    const end = this.#characters.indexOf("'", start + 1)
    if (end < 0) throw new DockerfileError('unexpected end of statement while looking for matching single-quote')
    this.#position = end + 1
    const keep = this.#options.keepQuotes === true
    return this.#characters.slice(keep ? start : start + 1, keep ? end + 1 : end).join('')
  }

  #readDoubleQuoted(): string {
    const quote = this.#options.keepQuotes === true ? '"' : ''
    const { escape } = this.#options
    let text = quote
    this.#position++
    for (let character = this.#peek(); character !== '"'; character = this.#peek()) {
      if (character === undefined) throw new DockerfileError('unexpected end of statement while looking for matching double-quote')
      if (character === '$') {
        text += this.#readVariable()
        continue
      }
      this.#position++
      if (character !== escape) {
        text += character
        continue
      }
      if (this.#keepEscapes) text += escape
      const next = this.#peek()
      // Between double quotes an escape character only means something in front of these.
      if (next === '"' || next === '$' || next === escape) text += this.#next() ?? ''
      else if (next !== undefined) text += escape
    }
    this.#position++
    return text + quote
  }

  #readVariable(): string {
    this.#position++
    if (this.#peek() !== '{') {
      const name = this.#readName()
      if (name === '') return '$'
      const value = this.#lookUp(name)
      return value === undefined && this.#options.keepUnset === true ? `$${name}` : (value ?? '')
    }
    this.#position++
    const first = this.#peek()
    if (first === undefined) throw new DockerfileError("syntax error: missing '}'")
    if (first === '{' || first === '}' || first === ':') throw new DockerfileError('syntax error: bad substitution')
    const name = this.#readName()
    const modifier = this.#next()
    if (modifier === undefined) throw new DockerfileError("syntax error: missing '}'")
    if (modifier === '}') {
      const value = this.#lookUp(name)
      return value === undefined && this.#options.keepUnset === true ? `\${${name}}` : (value ?? '')
    }
    if (modifier === '/') return this.#replace(name)
    if (modifier === ':') return this.#modify(name, this.#next() ?? '', true)
    return this.#modify(name, modifier, false)
  }

  #modify(name: string, modifier: string, emptyIsUnset: boolean): string {
    const written = (emptyIsUnset ? ':' : '') + modifier
    if (!emptyIsUnset && !'+-?#%'.includes(modifier)) throw unsupported(written)
    const isPattern = modifier === '#' || modifier === '%'
    const word = this.#readPart('}', isPattern)
    const value = this.#lookUp(name)
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}${written}${word}}`
    const isSet = value !== undefined && !(emptyIsUnset && value === '')
    switch (modifier) {
      case '-':
        return isSet ? value : word
      case '+':
        return isSet ? word : ''
      case '?':
        if (isSet) return value
        throw new DockerfileError(`${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`)
      case '#':
      case '%': {
        const longest = word.startsWith(modifier)
        const pattern = longest ? word.slice(1) : word
        return modifier === '#'
          ? trimPrefix(value ?? '', pattern, longest, this.#effort)
          : trimSuffix(value ?? '', pattern, longest, this.#effort)
      }
      default:
        throw unsupported(written)
    }
  }

  #replace(name: string): string {
    const all = this.#peek() === '/'
    if (all) this.#position++
    const pattern = this.#readPart('/', true, "'/' in ${}")
    const replacement = this.#readPart('}', true)
    const value = this.#lookUp(name)
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}/${all ? '/' : ''}${pattern}/${replacement}}`
    return replaceMatches(value ?? '', pattern, replacement, all, this.#effort)
  }

  #readPart(stop: string, keepEscapes: boolean, missing: string = `'${stop}'`): string {
    try {
      return this.readUntil(stop, keepEscapes).text
    } catch (error) {
      if (error instanceof DockerfileError && this.#peek() === undefined) throw new DockerfileError(`syntax error: missing ${missing}`)
      throw error
    }
  }

  /** Letters, digits and `_`; a number; or one of the shell's special names. Empty: none. */
  #readName(): string {
    const first = this.#peek() ?? ''
    if (first !== '' && '@*#?-$!'.includes(first)) return this.#next() ?? ''
    const allowed = /^\p{Nd}$/u.test(first) ? /^\p{Nd}$/u : /^[\p{L}\p{Nd}_]$/u
    let name = ''
    while (allowed.test(this.#peek() ?? '')) name += this.#next() ?? ''
    return name
  }

  #lookUp(name: string): string | undefined {
    const value = this.#variables.get(name)
    ;(value === undefined ? this.unset : this.used).add(name)
    this.#effort.spend(value?.length ?? 0)
    return value
  }

  #peek(): string | undefined {
    return this.#characters[this.#position]
  }

  #next(): string | undefined {
    return this.#characters[this.#position++]
  }
}

function unsupported(modifier: string): DockerfileError {
  return new DockerfileError(`unsupported modifier (${modifier}) in substitution`)
}
