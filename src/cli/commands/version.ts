/** `docker version`: versions of client and engine. */
import { defineCommand, NO_ARGS, OK, type Command } from '../command.ts'
import { string } from '../parser/flag.ts'
import { INSPECT_FORMAT_HELP } from '../format/format-help.ts'
import { systemVersion } from '#client'
import type { SystemVersion } from '#api'
import { clientVersion } from '../client-version.ts'
import { ExitError } from '../errors.ts'
import { goValue } from '../format/inspect.ts'
import { alignTabs } from '../format/tabwriter.ts'
import { TemplateError } from '../format/template/ast.ts'
import { compileTemplate, type Template } from '../format/template/template.ts'
import type { Cli } from '../cli.ts'

export const command: Command = defineCommand({
  use: 'version [OPTIONS]',
  short: 'Show the Docker version information',
  args: NO_ARGS,
  flags: {
    format: string(INSPECT_FORMAT_HELP, { short: 'f' }),
  },
  async run(cli, { flags }) {
    const template = compile(flags.format)
    const engine = cli.engine()
    let server: SystemVersion | undefined
    let failure: unknown
    let apiVersion = engine.maxVersion
    try {
      apiVersion = await engine.version()
      server = withReadableDates(await systemVersion(engine))
    } catch (error) {
      failure = error
    }
    const client = clientVersion(cli, apiVersion)
    const data = { Client: client, Server: server === undefined ? null : goValue(server, '') }
    if (template === undefined) print(cli, client, server)
    else {
      let text = ''
      try {
        text = template.execute(data)
      } finally {
        cli.print(text)
      }
    }
    if (failure !== undefined) throw failure
    return OK
  },
})

const BAD_TEMPLATE_STATUS = 64
const LABELS = { minWidth: 20, padding: 1 }

function compile(format: string): Template | undefined {
  if (format === '') return undefined
  try {
    return compileTemplate(format === 'json' ? '{{json .}}' : format, { name: 'version', missing: { type: 'system.versionInfo' } })
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    throw new ExitError(BAD_TEMPLATE_STATUS, `template parsing error: ${error.message.replace('template: :', 'template: version:')}`)
  }
}

/** The dates of builds in the form people read, `Fri May 30 12:07:14 2025`. */
function withReadableDates(version: SystemVersion): SystemVersion {
  const components = version.Components.map((component) => {
    const built = component.Details?.['BuildTime']
    return built === undefined ? component : { ...component, Details: { ...component.Details, BuildTime: ansiDate(built) } }
  })
  return { ...version, Components: components }
}

/** C's asctime of an RFC 3339 time; other texts stay as they are. */
function ansiDate(text: string): string {
  if (!/^\d{4}-\d\d-\d\dT/.test(text)) return text
  const [weekday = '', day = '', month = '', year = '', time = ''] = new Date(text).toUTCString().replace(',', '').split(' ')
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`
}

function print(cli: Cli, client: ReturnType<typeof clientVersion>, server: SystemVersion | undefined): void {
  const downgraded = client.ApiVersion === client.DefaultAPIVersion ? '' : ` (downgraded from ${client.DefaultAPIVersion})`
  const lines = [
    heading('Client', client.Platform.Name),
    ` Version:\t${client.Version}`,
    ` API version:\t${client.ApiVersion}${downgraded}`,
    ` Node version:\t${process.version}`,
    ` OS/Arch:\t${client.Os}/${client.Arch}`,
    ` Context:\t${client.Context}`,
  ]
  if (server !== undefined) {
    lines.push('', heading('Server', server.Platform.Name))
    for (const { Name, Version, Details = {} } of server.Components) {
      lines.push(` ${Name}:`, `  Version:\t${Version}`)
      if (Name === 'Engine') lines.push(...engineLines(Details))
      else for (const key of Object.keys(Details).sort()) lines.push(`  ${key}:\t${Details[key]}`)
    }
  }
  cli.stdout.write(`${alignTabs(lines.join('\n'), LABELS)}\n`)
}

function heading(what: string, platform: string): string {
  return platform === '' ? `${what}:` : `${what}: ${platform}`
}

function engineLines(details: Record<string, string>): string[] {
  return [
    `  API version:\t${details['ApiVersion']} (minimum version ${details['MinAPIVersion']})`,
    `  Go version:\t${details['GoVersion']}`,
    `  Git commit:\t${details['GitCommit']}`,
    `  Built:\t${details['BuildTime']}`,
    `  OS/Arch:\t${details['Os']}/${details['Arch']}`,
    `  Experimental:\t${details['Experimental']}`,
  ]
}
