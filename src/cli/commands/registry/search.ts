/** `docker search`: search for images. */
import { searchImages } from '#client'
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { chooseFormat, formatList } from '../../format/format-list.ts'
import { SEARCH_LIST, searchView } from '../../format/search-view.ts'
import { filter } from '../../opts/filter.ts'
import { bool, int, string } from '../../parser/flag.ts'
import { withLogin } from './with-login.ts'

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
  async run(cli, { flags, args }) {
    const [term = ''] = args
    const results = await withLogin(cli, registryOf(term), 'search', (auth) =>
      searchImages(cli.engine(), { term, limit: flags.limit, filters: flags.filter, auth }),
    )
    const format = chooseFormat(flags.format, undefined, SEARCH_LIST.table)
    const options = { truncate: !flags['no-trunc'], json: format === 'json' || /\bjson \.\s*\}\}/.test(format) }
    const rows = results.map((item) => searchView(item, options))
    cli.stdout.write(formatList(format, rows, SEARCH_LIST.headers))
    return OK
  },
})

/** A term may begin with a registry, which looks like a host's name. */
function registryOf(term: string): string {
  const [first = '', ...rest] = term.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io'
}
