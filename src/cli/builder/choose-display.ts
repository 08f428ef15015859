import type { Cli } from '../cli.ts'
import { SILENT } from '../terminal/output.ts'
import { checkProgressMode, type BuildValues } from './build-flags.ts'
import type { BuildDisplay } from './display/display.ts'
import { createPlainDisplay } from './display/plain-display.ts'
import { createRawDisplay } from './display/raw-display.ts'
import { createTerminalDisplay } from './display/terminal-display.ts'

/** What is shown. An empty flag: what BUILDKIT_PROGRESS says. Throws Error when that is no mode. */
export function progressMode({ env }: Pick<Cli, 'env'>, { progress, quiet }: Pick<BuildValues, 'progress' | 'quiet'>): string {
  return quiet ? 'quiet' : checkProgressMode(progress || env['BUILDKIT_PROGRESS'] || 'auto')
}

/** On standard error, so that standard output is free for results. */
export function chooseDisplay({ env, stderr }: Pick<Cli, 'env' | 'stderr'>, mode: string): BuildDisplay {
  switch (mode) {
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
    ? createTerminalDisplay(stderr, { title: 'Building', colors: (env['NO_COLOR'] ?? '') === '' })
    : createPlainDisplay(stderr)
}
