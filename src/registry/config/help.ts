import { COMMANDS, type RegistryCommand } from './options.ts'

/** `gantry registry --help`. */
export function groupHelp(program: string): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 3
  const rows = COMMANDS.map(({ name, short }) => `  ${name.padEnd(width)}${short}\n`).join('')
  return (
    `Usage:  ${program} COMMAND\n\nA registry server: images for every client of the OCI distribution specification\n\n` +
    `Commands:\n${rows}\nRun '${program} COMMAND --help' for more information on a command.\n`
  )
}

/** `gantry registry serve --help`. */
export function commandHelp(program: string, command: RegistryCommand): string {
  const rows = command.options.map(({ flag, kind, value, help }) => {
    const shown = kind === 'switch' ? `--${flag}` : `--${flag} ${value ?? (kind === 'list' ? 'list' : 'string')}`
    return [shown, help] as const
  })
  const width = Math.max(...rows.map(([left]) => left.length)) + 3
  const options = rows.map(([left, help]) => `      ${left.padEnd(width)}${help}\n`).join('')
  return `Usage:  ${program} ${command.name} [OPTIONS]\n\n${command.short}\n\nOptions:\n${options}`
}
