/** `docker context export`: a context as an archive, to take elsewhere. */
import { between, defineCommand, OK, type Command } from '../../command.ts'
import { exportContext } from '../../config/context-archive.ts'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'

export const command: Command = defineCommand({
  use: 'export [OPTIONS] CONTEXT [FILE|-]',
  short: 'Export a context to a tar archive FILE or a tar stream on STDOUT.',
  args: between(1, 2),
  flags: {},
  async run(cli, { args }) {
    const [name = '', target = `${name}.dockercontext`] = args
    if (target === '-' && cli.stdout.isTerminal) throw new Error('cowardly refusing to export to a terminal, specify a file path')
    if (target !== '-' && existsSync(target)) throw new Error(`open ${target}: file exists`)
    const archive = await exportContext(cli, name)
    if (target === '-') cli.stdout.write(archive)
    else {
      await writeFile(target, archive, { mode: 0o600, flag: 'wx' })
      cli.warn(`Written file ${JSON.stringify(target)}`)
    }
    return OK
  },
})
