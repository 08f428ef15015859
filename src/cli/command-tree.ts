import type { Command } from './command.ts'

/** A command that does something, or a group of them. Names and short texts are here so that lists need no file to be loaded. */
export interface CommandNode {
  name: string
  short: string
  /** Of a group: the text of its help page where that is longer. */
  long?: string
  /** Of a group: all its commands are. */
  experimental?: boolean
  /** Other spellings of the name, not shown in lists. */
  aliases?: readonly string[]
  hidden?: boolean
  /** Not one of Docker's: left out of lists when we are called by its name. */
  ours?: boolean
  load?: () => Promise<{ command: Command }>
  children?: readonly CommandNode[]
}

/** A command found on the command line. */
export interface Found {
  node: CommandNode
  /** Names from the root, as the commands call themselves. */
  path: string[]
  /** What stands behind the path. */
  rest: readonly string[]
}

/** Follows `args` as far as they name commands. Undefined when not even the first does. */
export function findCommand(root: readonly CommandNode[], args: readonly string[]): Found | undefined {
  let level = root
  let found: Found | undefined
  for (const [index, arg] of args.entries()) {
    const node = level.find((candidate) => candidate.name === arg || candidate.aliases?.includes(arg) === true)
    if (node === undefined) break
    found = { node, path: [...(found?.path ?? []), node.name], rest: args.slice(index + 1) }
    if (node.children === undefined) break
    level = node.children
  }
  return found
}
