import type { Cli } from '../cli.ts'
import { SILENT } from '../terminal/output.ts'
import type { BuildDisplay } from './display/display.ts'
import { createPlainDisplay } from './display/plain-display.ts'
import { createRawDisplay } from './display/raw-display.ts'
import { createTerminalDisplay } from './display/terminal-display.ts'

/** On standard error, so that standard output is free for results. `mode` empty: what BUILDKIT_PROGRESS says. */
export function chooseDisplay(cli: Pick<Cli, 'env' | 'stderr'>, mode: string, quiet: boolean): BuildDisplay {
  const wanted = quiet ? 'quiet' : mode || cli.env['BUILDKIT_PROGRESS'] || 'auto'
  const { stderr } = cli
  switch (wanted) {
    case 'quiet':
    case 'none':
      return createPlainDisplay(SILENT)
    case 'rawjson':
      return createRawDisplay(stderr)
    case 'plain':
      return createPlainDisplay(stderr)
    case 'tty':
      if (!stderr.isTerminal) throw new Error('failed to get console: provided file is not a console')
  }
  return stderr.isTerminal
    ? createTerminalDisplay(stderr, { title: 'Building', colors: (cli.env['NO_COLOR'] ?? '') === '' })
    : createPlainDisplay(stderr)
}
