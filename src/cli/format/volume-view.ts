import type { Volume } from '#api'
import { humanSize } from '#lib'
import type { ListFormat } from './format-list.ts'
import { View } from './template/values.ts'
import { labelsText } from './text.ts'

export const VOLUME_LIST: ListFormat = {
  table: '{{.Driver}}\t{{.Name}}',
  headers: {
    Name: 'VOLUME NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    Availability: 'AVAILABILITY',
    Mountpoint: 'MOUNTPOINT',
    Labels: 'LABELS',
    Links: 'LINKS',
    Size: 'SIZE',
    Group: 'GROUP',
    Status: 'STATUS',
  },
}

/** A row of `docker volume ls`. Availability, group and status belong to cluster volumes. */
export function volumeView(volume: Volume): View {
  return new View('*formatter.volumeContext', {
    Name: () => volume.Name,
    Driver: () => volume.Driver,
    Scope: () => volume.Scope,
    Mountpoint: () => volume.Mountpoint,
    Labels: () => labelsText(volume.Labels),
    Label: (name: string) => volume.Labels?.[name] ?? '',
    Links: () => (volume.UsageData === undefined ? 'N/A' : String(volume.UsageData.RefCount)),
    Size: () => (volume.UsageData === undefined ? 'N/A' : humanSize(volume.UsageData.Size)),
    Group: () => 'N/A',
    Availability: () => 'N/A',
    Status: () => 'N/A',
  })
}
