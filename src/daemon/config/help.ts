import { OPTIONS } from './options.ts'

/** `gantry daemon --help`. */
export function helpText(program: string): string {
  const rows = OPTIONS.filter(({ fileOnly }) => fileOnly !== true).map(({ flag, short, kind, value, help }) => {
    const shown = `${short === undefined ? '    ' : `-${short}, `}--${flag}`
    return [kind === 'boolean' ? shown : `${shown} ${value ?? kind}`, help] as const
  })
  const width = Math.max(...rows.map(([left]) => left.length)) + 3
  const lines = rows.map(([left, help]) => `  ${left.padEnd(width)}${help}`)
  return `Usage:  ${program} [OPTIONS]\n\nThe engine: serves the API, keeps containers.\n\nOptions:\n${lines.join('\n')}\n`
}
