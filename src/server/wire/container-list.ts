/** One element of `GET /containers/json`. */

import type { ApiVersion, ContainerSummary } from '#api'
import type { ContainerSummary as DomainSummary } from '#containers'
import { encodeMounts } from './container-inspect.ts'
import { encodeEndpoints } from './endpoint.ts'
import { encodePortSummaries } from './ports.ts'

export function encodeContainerSummary(summary: DomainSummary, version: ApiVersion): ContainerSummary {
  const { container } = summary
  const { annotations, networkMode } = container.hostConfig
  const result: ContainerSummary = {
    Id: container.id,
    // The container's own name first: many clients look no further.
    Names: [container.name, ...(summary.linkNames ?? [])].map((name) => `/${name}`),
    Image: summary.imageName,
    ImageID: container.imageId,
    Command: commandLine(container.path, container.args),
    Created: Math.floor(Date.parse(container.created) / 1000),
    Ports: encodePortSummaries(container),
    ...(summary.sizeRw === undefined ? {} : { SizeRw: summary.sizeRw }),
    ...(summary.sizeRootFs === undefined ? {} : { SizeRootFs: summary.sizeRootFs }),
    Labels: container.config.labels,
    State: container.state.status,
    Status: summary.status,
    HostConfig: { NetworkMode: networkMode === 'default' ? 'bridge' : networkMode },
    NetworkSettings: { Networks: encodeEndpoints(container, version) },
    Mounts: encodeMounts(container),
  }
  if (version >= 46 && Object.keys(annotations).length > 0) result.HostConfig.Annotations = annotations
  if (version >= 52) {
    result.Health = { Status: container.health?.status ?? 'none', FailingStreak: container.health?.failingStreak ?? 0 }
  }
  return result
}

/** Arguments with spaces are quoted, nothing else is. Source: moby `daemon/container/view.go`. */
function commandLine(path: string, args: string[]): string {
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ')
}
