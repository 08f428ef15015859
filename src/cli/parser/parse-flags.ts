import { parseGoBoolean } from '#lib'
import type { FlagTable, FlagValues } from './flag.ts'

/** A command line that does not fit; `message` is pflag's text. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
}

export interface ParsedFlags<Flags extends FlagTable> {
  values: FlagValues<Flags>
  /** Names of the flags that were given. */
  changed: ReadonlySet<string>
  /** What is not a flag. */
  args: string[]
  /** `--help` or `-h` was met: nothing behind it counts. */
  help: false | 'long' | 'short'
  /** Notices about deprecated flags, in order. */
  notices: string[]
}

export interface ParseOptions {
  /** False: the first argument that is no flag ends the flags (`run`, `exec`: what follows belongs to the container). */
  interspersed?: boolean
}

/**
 * Parses `args` as pflag does: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`, `-abc` for switches, `--` as end of flags.
 * Throws FlagError.
 */
export function parseFlags<Flags extends FlagTable>(table: Flags, args: readonly string[], options: ParseOptions = {}): ParsedFlags<Flags> {
  const state = new Parser(table)
  const rest = [...args]
  for (;;) {
    const arg = rest.shift()
    if (arg === undefined) break
    if (arg === '--') {
      state.args.push(...rest)
      break
    }
    if (arg.length < 2 || !arg.startsWith('-')) {
      state.args.push(arg)
      if (options.interspersed !== false) continue
      state.args.push(...rest)
      break
    }
    if (arg.startsWith('--')) state.long(arg, rest)
    else state.shorts(arg, rest)
    if (state.help !== false) break
  }
  return { values: state.values as FlagValues<Flags>, changed: state.changed, args: state.args, help: state.help, notices: state.notices }
}

class Parser {
  readonly values: Record<string, unknown> = {}
  readonly changed = new Set<string>()
  readonly args: string[] = []
  readonly notices: string[] = []
  help: false | 'long' | 'short' = false
  readonly #table: FlagTable
  readonly #byShort = new Map<string, string>()

  constructor(table: FlagTable) {
    this.#table = table
    for (const [name, flag] of Object.entries(table)) {
      this.values[name] = flag.initial
      if (flag.short !== undefined) this.#byShort.set(flag.short, name)
    }
  }

  long(arg: string, rest: string[]): void {
    const text = arg.slice(2)
    if (text === '' || text.startsWith('-') || text.startsWith('=')) throw new FlagError(`bad flag syntax: ${arg}`)
    const equals = text.indexOf('=')
    const name = equals < 0 ? text : text.slice(0, equals)
    if (name === 'help') {
      if (equals < 0 || parseGoBoolean(text.slice(equals + 1))) this.help = 'long'
      return
    }
    const flag = this.#table[name]
    if (flag === undefined) throw new FlagError(`unknown flag: --${name}`)
    let value = equals < 0 ? flag.bare : text.slice(equals + 1)
    if (value === undefined) {
      value = rest.shift()
      if (value === undefined) throw new FlagError(`flag needs an argument: ${arg}`)
    }
    this.#set(name, value)
  }

  shorts(arg: string, rest: string[]): void {
    let cluster = arg.slice(1)
    while (cluster !== '') {
      const short = cluster.charAt(0)
      const name = this.#byShort.get(short)
      const flag = name === undefined ? undefined : this.#table[name]
      if (name === undefined || flag === undefined) {
        if (short !== 'h') throw new FlagError(`unknown shorthand flag: '${short}' in -${cluster}`)
        this.help = 'short'
        return
      }
      if (cluster.length > 2 && cluster[1] === '=') {
        this.#set(name, cluster.slice(2))
        return
      }
      if (flag.bare !== undefined) {
        this.#set(name, flag.bare)
        cluster = cluster.slice(1)
        continue
      }
      const value = cluster.length > 1 ? cluster.slice(1) : rest.shift()
      if (value === undefined) throw new FlagError(`flag needs an argument: '${short}' in -${cluster}`)
      this.#set(name, value)
      return
    }
  }

  #set(name: string, text: string): void {
    const flag = this.#table[name]
    if (flag === undefined) return
    const target = flag.aliasOf ?? name
    try {
      this.values[target] = flag.set(this.values[target], text)
    } catch (error) {
      const shown = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`
      throw new FlagError(`invalid argument ${JSON.stringify(text)} for ${JSON.stringify(shown)} flag: ${(error as Error).message}`)
    }
    this.changed.add(target)
    if (flag.deprecated !== undefined) this.notices.push(`Flag --${name} has been deprecated, ${flag.deprecated}`)
  }
}
