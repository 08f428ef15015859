import type { ListFormat } from './format-list.ts'
import { View } from './template/values.ts'
import { ellipsis } from './text.ts'

const DESCRIPTION_COLUMNS = 60
const ERROR_COLUMNS = 45

export const CONTEXT_LIST: ListFormat = {
  table: '{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}',
  headers: { Name: 'NAME', Description: 'DESCRIPTION', DockerEndpoint: 'DOCKER ENDPOINT', Error: 'ERROR' },
}

export interface ContextRow {
  name: string
  description: string
  host: string
  current: boolean
  /** Why it cannot be used. */
  error: string
}

/** A row of `docker context ls`. */
export function contextView({ name, description, host, current, error }: ContextRow): View {
  return new View('*formatter.clientContextContext', {
    Current: () => current,
    Name: () => name,
    Description: () => ellipsis(description, DESCRIPTION_COLUMNS),
    DockerEndpoint: () => host,
    Error: () => ellipsis(error.replaceAll('\n', ' ').trim(), ERROR_COLUMNS),
  })
}
