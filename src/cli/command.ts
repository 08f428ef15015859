import type { Cli } from './cli.ts'
import type { FlagTable, FlagValues } from './parser/flag.ts'

/** How many arguments a command takes; `max` left out: any number. */
export interface ArgsRule {
  min: number
  max?: number
}

/** What a command is called with. */
export interface Invocation<Flags> {
  flags: FlagValues<Flags>
  /** Names of the flags that were given. */
  changed: ReadonlySet<string>
  args: string[]
}

/** A command as data, one per file `commands/<noun>/<verb>.ts`. */
export interface Command {
  /** Usage behind the path of its parent: `rm [OPTIONS] CONTAINER [CONTAINER...]`. */
  use: string
  /** One line for the list of its parent, and the text of its help page unless there is `long`. */
  short: string
  long?: string
  /** All spellings, without the program name; printed when there is more than one way to call it. */
  aliases?: string[]
  args: ArgsRule
  flags: FlagTable
  /** False: flags end at the first argument. */
  interspersed?: boolean
  /** API version that brought the command. */
  version?: string
  /** Docker may change it or take it away; its help page says so. */
  experimental?: boolean
  run(cli: Cli, invocation: Invocation<FlagTable>): Promise<number>
}

/** Exit status of a command that did its work. */
export const OK = 0

/** Ties the types of a command's flags to what its `run` receives. */
export function defineCommand<Flags extends FlagTable>(
  command: Omit<Command, 'flags' | 'run'> & { flags: Flags; run(cli: Cli, invocation: Invocation<Flags>): Promise<number> },
): Command {
  return command
}

export const NO_ARGS: ArgsRule = { min: 0, max: 0 }

export function exactly(count: number): ArgsRule {
  return { min: count, max: count }
}

export function atLeast(count: number): ArgsRule {
  return { min: count }
}

export function between(min: number, max: number): ArgsRule {
  return { min, max }
}
