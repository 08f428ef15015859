/** `gantry system fsck`: check the engine's store, and repair it. */
import type { FsckFinding, FsckLine, FsckSummary } from '#api'
import { checkStore, DaemonError, readJsonStream } from '#client'
import type { Cli } from '../../cli.ts'
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { printable } from '../../format/text.ts'
import { bool } from '../../parser/flag.ts'

/** As fsck(8): errors were left. */
const PROBLEMS_REMAIN = 1

export const command: Command = defineCommand({
  use: 'fsck [OPTIONS]',
  short: "Check the engine's store, and repair it",
  long: `Check the engine's store: the database, every blob and every file of the image layers, containers, volumes and leftovers.
The engine goes on working meanwhile. The status is 1 when problems remain.`,
  args: NO_ARGS,
  flags: {
    quiet: bool('Show problems only', { short: 'q' }),
    repair: bool('Repair what can be repaired without guessing'),
  },
  async run(cli, { flags }) {
    const response = await open(cli, flags.repair)
    const progress = cli.stderr.isTerminal && !flags.quiet
    let summary: FsckSummary | undefined
    await readJsonStream(response.body, (value) => {
      const line = value as FsckLine
      if (progress) cli.stderr.write('\x1b[2K\r')
      if (line.error !== undefined) throw new Error(line.error)
      if (line.finding !== undefined) cli.print(findingText(line.finding))
      if (line.progress !== undefined && progress) cli.stderr.write(`${line.progress.phase} ${line.progress.done}/${line.progress.total}`)
      summary = line.report ?? summary
    })
    if (summary === undefined) throw new Error('the check broke off')
    if (!flags.quiet) cli.print(summaryText(summary))
    if (summary.lost.length > 0) cli.print(printable(`To be pulled or loaded again: ${summary.lost.join(', ')}`))
    return summary.clean ? OK : PROBLEMS_REMAIN
  },
})

async function open(cli: Cli, repair: boolean): ReturnType<typeof checkStore> {
  try {
    return await checkStore(cli.engine(), { repair })
  } catch (error) {
    if (error instanceof DaemonError && error.status === 404) throw new Error('this engine has no fsck: it is not Gantry', { cause: error })
    throw error
  }
}

function findingText({ kind, severity, object, text, outcome }: FsckFinding): string {
  const mark = outcome === 'found' ? '' : ` (${outcome === 'repaired' ? 'repaired' : 'repair failed'})`
  return printable(`${severity}: ${kind}: ${object}: ${text}${mark}`)
}

function summaryText({ checked, findings, clean }: FsckSummary): string {
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`
  const what = [
    count(checked.blobs, 'blob'),
    count(checked.layers, 'layer'),
    count(checked.images, 'image'),
    count(checked.containers, 'container'),
  ]
  return `Checked ${what.join(', ')}: ${findings === 0 ? 'clean' : `${count(findings, 'finding')}, ${clean ? 'clean now' : 'problems remain'}`}`
}
