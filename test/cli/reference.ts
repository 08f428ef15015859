/** The reference of the command line, from the command table: the help page of every command. */
import { resolve } from 'node:path'
import type { Command } from '../../src/cli/command.ts'
import type { CommandNode } from '../../src/cli/command-tree.ts'
import { ROOT_COMMANDS } from '../../src/cli/commands/table.ts'
import { globalFlags } from '../../src/cli/global-flags.ts'
import { commandHelp } from '../../src/cli/help.ts'
import { flagUsages } from '../../src/cli/parser/flag-usages.ts'

export const REFERENCE_PATH: string = resolve(import.meta.dirname, '../../docs/generated/cli.md')

const PROGRAM = 'gantry'
const COLUMNS = 140

export async function reference(): Promise<string> {
  const pages: string[] = []
  for (const root of ROOT_COMMANDS) {
    for (const node of root.children ?? [root]) {
      const path = root.children === undefined ? [node.name] : [root.name, node.name]
      // Both spellings have the same page: it stands once, under the longer name.
      if (root.children === undefined && isRepeated(node)) continue
      pages.push(page(path, (await node.load?.())?.command))
    }
  }
  const globals = flagUsages(globalFlags('~/.docker'), COLUMNS).trimEnd()
  return [
    '# Command line reference',
    '',
    'Made from the command table by `node test/cli/write-reference.ts`; do not edit. What Docker has and Gantry has not is listed in',
    '[compatibility.md](../compatibility.md).',
    '',
    '## Global options',
    '',
    '```text',
    globals,
    '```',
    '',
    ...pages,
  ].join('\n')
}

function page(path: string[], command: Command | undefined): string {
  if (command === undefined) throw new Error(`no file for ${path.join(' ')}`)
  return `## ${PROGRAM} ${path.join(' ')}\n\n\`\`\`text\n${commandHelp(PROGRAM, path, command, COLUMNS).trimEnd()}\n\`\`\`\n`
}

function isRepeated(node: CommandNode): boolean {
  return ROOT_COMMANDS.some((root) => root.children?.some((child) => child.load === node.load) === true)
}
