import type { ImageSearchItem } from '#api'
import type { ListFormat } from './format-list.ts'
import { View } from './template/values.ts'
import { ellipsis } from './text.ts'

const DESCRIPTION_COLUMNS = 45

export const SEARCH_LIST: ListFormat = {
  table: '{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}',
  headers: { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' },
}

/** A row of `docker search`. Booleans are words in JSON and marks elsewhere. */
export function searchView(item: ImageSearchItem, options: { truncate: boolean; json: boolean }): View {
  const description = item.description.replaceAll(/[\n\r]/g, ' ')
  return new View('*registry.searchContext', {
    Name: () => item.name,
    Description: () => (options.truncate ? ellipsis(description, DESCRIPTION_COLUMNS) : description),
    StarCount: () => String(item.star_count),
    IsOfficial: () => (options.json ? String(item.is_official) : item.is_official ? '[OK]' : ''),
  })
}
