import { shortId } from '#lib'
import type { NetworkSummary } from '#api'
import type { ListFormat } from './format-list.ts'
import { View } from './template/values.ts'
import { labelsText } from './text.ts'

export const NETWORK_LIST: ListFormat = {
  table: '{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}',
  headers: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    CreatedAt: 'CREATED AT',
  },
}

/** A row of `docker network ls`. */
export function networkView(network: NetworkSummary, truncate: boolean): View {
  return new View('*network.networkContext', {
    ID: () => (truncate ? shortId(network.Id) : network.Id),
    Name: () => network.Name,
    Driver: () => network.Driver,
    Scope: () => network.Scope,
    IPv4: () => String(network.EnableIPv4),
    IPv6: () => String(network.EnableIPv6),
    Internal: () => String(network.Internal),
    Labels: () => labelsText(network.Labels),
    Label: (name: string) => network.Labels?.[name] ?? '',
    CreatedAt: () => goCreated(network.Created),
  })
}

/** Go's time.Time.String of an RFC 3339 time, in the zone it was written in. */
function goCreated(text: string): string {
  const match = /^(.{10})T(\d\d:\d\d:\d\d(?:\.\d+?)?)0*(Z|([+-]\d\d):(\d\d))$/.exec(text)
  if (match === null) return text
  const [, day = '', time = '', zone = '', hours = '', minutes = ''] = match
  return zone === 'Z' ? `${day} ${time} +0000 UTC` : `${day} ${time} ${hours}${minutes} ${hours}${minutes}`
}
