/** `docker info`: the engine at a glance. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { INSPECT_FORMAT_HELP } from '../../format/format-help.ts'
import { systemInfo } from '#client'
import type { SystemInfo } from '#api'
import { HUB_KEY, storedAuth } from '../../config/credentials.ts'
import type { Cli } from '../../cli.ts'
import { clientVersion } from '../../client-version.ts'
import { errorText } from '../../errors.ts'
import { serverInfoText } from '../../format/info-text.ts'
import { goValue } from '../../format/inspect.ts'
import { TemplateError } from '../../format/template/ast.ts'
import { compileTemplate } from '../../format/template/template.ts'
import { listPlugins, type Plugin } from '../../plugins/find-plugins.ts'

export const command: Command = defineCommand({
  use: 'info [OPTIONS]',
  short: 'Display system-wide information',
  aliases: ['system info', 'info'],
  args: NO_ARGS,
  flags: {
    format: string(INSPECT_FORMAT_HELP, { short: 'f' }),
  },
  async run(cli, { flags }) {
    const engine = cli.engine()
    const plugins = await listPlugins(cli)
    let info: SystemInfo | undefined
    let failure: unknown
    try {
      info = await systemInfo(engine)
    } catch (error) {
      failure = error
    }
    if (flags.format !== '') {
      if (failure !== undefined) cli.warn(errorText(failure))
      printFormatted(cli, flags.format, info, plugins, failure)
      return OK
    }
    printClient(cli, plugins)
    cli.print('\nServer:')
    if (info !== undefined) {
      cli.stdout.write(serverInfoText(info, { debug: cli.debug, userName: storedUser(cli) }))
      for (const warning of info.Warnings ?? []) cli.warn(warning)
      return OK
    }
    cli.warn(`ERROR: ${errorText(failure)}`)
    throw new Error('errors pretty printing info')
  },
})

function storedUser(cli: Cli): string {
  return storedAuth(cli, HUB_KEY).username ?? ''
}

function printClient(cli: Cli, plugins: readonly Plugin[]): void {
  const client = clientVersion(cli, '')
  cli.print(`Client: ${client.Platform.Name}`)
  cli.print(` Version:    ${client.Version}`)
  cli.print(` Context:    ${client.Context}`)
  cli.print(` Debug Mode: ${cli.debug}`)
  if (plugins.length === 0) return
  cli.print(' Plugins:')
  for (const { name, path, metadata, problem } of plugins) {
    if (metadata === undefined) {
      cli.warn(`WARNING: Plugin ${JSON.stringify(path)} is not valid: ${problem}`)
      continue
    }
    cli.print(`  ${name}: ${metadata.ShortDescription ?? ''} (${metadata.Vendor})`)
    if (metadata.Version !== undefined && metadata.Version !== '') cli.print(`    Version:  ${metadata.Version}`)
    cli.print(`    Path:     ${path}`)
  }
}

function printFormatted(cli: Cli, format: string, info: SystemInfo | undefined, plugins: readonly Plugin[], failure: unknown): void {
  const client = {
    Debug: cli.debug,
    ...clientVersion(cli, ''),
    Plugins: plugins.map(({ name, path, metadata }) => ({ ...metadata, Name: name, Path: path })),
    Warnings: null,
  }
  const server = goValue(info ?? {}, '') as object
  const errors = failure === undefined ? {} : { ServerErrors: [errorText(failure)] }
  let text = ''
  try {
    const template = compileTemplate(format === 'json' ? '{{json .}}' : format, { missing: { type: 'system.dockerInfo' } })
    text = template.execute({ ...server, ...errors, ClientInfo: client })
  } catch (error) {
    if (!(error instanceof TemplateError) || error.message.includes('executing')) throw error
    throw new Error(`template parsing error: ${error.message}`, { cause: error })
  } finally {
    cli.print(text)
  }
}
