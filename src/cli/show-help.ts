import type { Cli } from './cli.ts'
import { findCommand, type CommandNode, type Found } from './command-tree.ts'
import { ROOT_COMMANDS, ROOT_SECTIONS, ROOT_SHORT, SERVERS } from './commands/table.ts'
import { globalFlags } from './global-flags.ts'
import { commandHelp, groupHelp, rootHelp } from './help.ts'
import { FlagError } from './parser/parse-flags.ts'

/** The page of a group; or, when something stands behind its name, the complaint that it is no command of it. */
export function showGroup(cli: Cli, found: Found): number {
  const name = [cli.program, ...found.path].join(' ')
  const [next] = found.rest
  const usage = `\n\nUsage:  ${name}\n\nRun '${name} --help' for more information`
  const asksForHelp = found.rest.includes('--help') || found.rest.includes('-h')
  if (next !== undefined && !asksForHelp) {
    if (!next.startsWith('-')) throw new Error(`${cli.program}: unknown command: ${name} ${next}${usage}`)
    throw new FlagError(
      `${next.startsWith('--') ? `unknown flag: ${next}` : `unknown shorthand flag: '${next.charAt(1)}' in ${next}`}${usage}`,
    )
  }
  const children = visible(cli, found.node.children ?? [])
  const leaves = children.filter((child) => child.children === undefined)
  const groups = children.filter((child) => child.children !== undefined)
  const sections = [
    { title: 'Management Commands', commands: groups },
    { title: 'Commands', commands: leaves },
  ]
  const help = groupHelp(cli.program, found.path, found.node, sections)
  // Asked for, it is output; instead of a command, it is a complaint.
  ;(asksForHelp ? cli.stdout : cli.stderr).write(help)
  return 0
}

/** `help`, `help COMMAND`. */
export async function showHelpTopic(cli: Cli, topic: readonly string[]): Promise<number> {
  if (topic.length === 0) return showRootHelp(cli)
  const found = findCommand(ROOT_COMMANDS, topic)
  if (found === undefined) throw new Error(`unknown help topic: ${topic.join(' ')}`)
  if (found.node.load === undefined) return showGroup(cli, { ...found, rest: [] })
  cli.stdout.write(commandHelp(cli.program, found.path, (await found.node.load()).command, terminalColumns()))
  return 0
}

/** The main page, with the plugins that are installed. */
export async function showRootHelp(cli: Cli): Promise<number> {
  const { listPlugins } = await import('./plugins/find-plugins.ts')
  const plugins = (await listPlugins(cli)).filter((plugin) => plugin.problem === undefined && plugin.metadata?.Hidden !== true)
  const sections = ROOT_SECTIONS.map(({ title, names }) => ({
    title,
    commands: visible(
      cli,
      ROOT_COMMANDS.filter((node) => names.includes(node.name)),
    ).sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name)),
  }))
  const management = sections.find((section) => section.title === 'Management Commands')
  // The star marks commands that are programs of their own.
  management?.commands.push(...plugins.map((plugin) => ({ name: `${plugin.name}*`, short: plugin.metadata?.ShortDescription ?? '' })))
  management?.commands.sort((a, b) => (a.name < b.name ? -1 : 1))
  // Docker's are programs of their own.
  if (cli.program !== 'docker') sections.push({ title: 'Servers', commands: [...SERVERS] })
  cli.stdout.write(rootHelp(cli.program, ROOT_SHORT, sections, globalFlags(cli.configDirectory), terminalColumns()))
  return 0
}

function visible(cli: Cli, nodes: readonly CommandNode[]): CommandNode[] {
  return nodes.filter((node) => node.hidden !== true && !(node.ours === true && cli.program === 'docker'))
}

/** Help is wrapped to the terminal the user types at, whatever the output is redirected to. */
export function terminalColumns(): number {
  if (!process.stdin.isTTY) return 80
  return process.stdout.isTTY ? process.stdout.columns : 80
}
