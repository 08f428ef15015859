/** `docker search`: search for images. */
import { defineCommand, exactly, type Command } from '../../command.ts'
import { bool, int, string } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'

export const command: Command = defineCommand({
  use: 'search [OPTIONS] TERM',
  short: 'Search Docker Hub for images',
  args: exactly(1),
  flags: {
    filter: filter('Filter output based on conditions provided', { short: 'f' }),
    format: string('Pretty-print search using a Go template'),
    limit: int('Max number of search results'),
    'no-trunc': bool("Don't truncate output"),
  },
  async run() {
    throw new Error('search is not supported yet: it comes with the registry client')
  },
})
