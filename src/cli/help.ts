import type { Command } from './command.ts'
import { flagUsages } from './parser/flag-usages.ts'
import type { FlagTable } from './parser/flag.ts'

/** Columns to wrap at when standard input is no terminal. */
const DEFAULT_COLUMNS = 80
const NAME_COLUMN = 12

/** A command in the list of its parent. */
export interface Listed {
  name: string
  short: string
}

export interface Section {
  title: string
  commands: readonly Listed[]
}

/** `docker container rm`: the program and the path of a command. */
export function usageLine(program: string, path: readonly string[], command: Command): string {
  // The same file serves `ps` and `container ls`: the name is the one of the path.
  const rest = command.use.replace(/^\S+/, '').replaceAll('{program}', program)
  return [program, ...path].join(' ') + rest
}

/** The help page of a command that does something. */
export function commandHelp(program: string, path: readonly string[], command: Command, columns: number = DEFAULT_COLUMNS): string {
  let text = `Usage:  ${usageLine(program, path, command)}\n\n${(command.long ?? command.short).replaceAll('{program}', program).trim()}\n`
  if (command.aliases !== undefined) text += `\nAliases:\n  ${command.aliases.map((alias) => `${program} ${alias}`).join(', ')}\n`
  if (command.experimental === true) text += experimentalNote([program, ...path].join(' '))
  return text + optionsSection('Options', command.flags, columns)
}

function experimentalNote(name: string): string {
  return `
EXPERIMENTAL:
  ${name} is an experimental feature.
  Experimental features provide early access to product functionality. These
  features may change between releases without warning, or can be removed from a
  future release. Learn more about experimental features in our documentation:
  https://docs.docker.com/go/experimental/
`
}

/** The help page of a group of commands. */
export function groupHelp(
  program: string,
  path: readonly string[],
  group: { short: string; long?: string; experimental?: boolean },
  sections: readonly Section[],
): string {
  const name = [program, ...path].join(' ')
  const text = (group.long ?? group.short).replaceAll('{program}', program)
  const note = group.experimental === true ? experimentalNote(name) : ''
  return `Usage:  ${name} COMMAND\n\n${text}\n${note}${sectionsText(sections)}\nRun '${name} COMMAND --help' for more information on a command.\n`
}

/** The help page of the program itself. */
export function rootHelp(
  program: string,
  short: string,
  sections: readonly Section[],
  flags: FlagTable,
  columns: number = DEFAULT_COLUMNS,
): string {
  return (
    `Usage:  ${program} [OPTIONS] COMMAND\n\n${short}\n${sectionsText(sections)}${optionsSection('Global Options', flags, columns)}` +
    `\nRun '${program} COMMAND --help' for more information on a command.\n`
  )
}

function sectionsText(sections: readonly Section[]): string {
  return sections
    .filter((section) => section.commands.length > 0)
    .map(
      (section) => `\n${section.title}:\n${section.commands.map(({ name, short }) => `  ${name.padEnd(NAME_COLUMN)}${short}\n`).join('')}`,
    )
    .join('')
}

function optionsSection(title: string, flags: FlagTable, columns: number): string {
  // One column stays free: a terminal that wraps at its last column would break the line twice.
  const usages = flagUsages(flags, columns - 1).trimEnd()
  return usages === '' ? '' : `\n${title}:\n${usages}\n`
}
