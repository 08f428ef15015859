import type { CommandLine } from './types.ts'

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c']

/** What runs for a command: in the shell form `shell` (what SHELL says; none: `/bin/sh -c`) with all of the text as one argument. */
export function commandArguments({ form, args }: Pick<CommandLine, 'form' | 'args'>, shell: readonly string[] = []): string[] {
  if (form === 'exec') return [...args]
  return [...(shell.length > 0 ? shell : DEFAULT_SHELL), args.join(' ')]
}
