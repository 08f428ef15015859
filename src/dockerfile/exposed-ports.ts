/** What a word of EXPOSE means. Source: moby/buildkit frontend/dockerfile/dockerfile2llb/convert_expose.go. */

import { isIP } from 'node:net'
import { DockerfileError } from './dockerfile-error.ts'
import type { ExposedPorts } from './instructions/types.ts'

/** `80`, `80/udp`, `8000-8010/tcp`; `[address:][port of the host:]` in front is understood and means nothing. Throws {@link DockerfileError} without range. */
export function parseExposedPorts(word: string): ExposedPorts {
  const parts = word.split(':')
  const inside = parts.pop() ?? ''
  const hostPort = parts.pop() ?? ''
  const address = parts.join(':')
  const slash = inside.indexOf('/')
  const container = slash < 0 ? inside : inside.slice(0, slash)
  const protocol = (slash < 0 ? '' : inside.slice(slash + 1)) || 'tcp'
  if (container === '') throw new DockerfileError(`invalid port: ${JSON.stringify(word)}: no port specified`)
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) {
    throw new DockerfileError(`invalid port: ${JSON.stringify(word)}: invalid proto: ${protocol}`)
  }
  if (address !== '' && isIP(address.replace(/^\[(.*)\]$/, '$1')) === 0) throw new DockerfileError(`invalid IP address: ${address}`)
  const [first, last] = portRange(container, 'containerPort')
  if (hostPort !== '') {
    const [firstHost, lastHost] = portRange(hostPort, 'hostPort')
    // One port may stand for any of a range on the host.
    if (last !== first && lastHost - firstHost !== last - first) {
      throw new DockerfileError(`invalid ranges specified for container and host Ports: ${container} and ${hostPort}`)
    }
  }
  return {
    ports: Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol.toLowerCase()}`),
    hasHostPart: address !== '' || hostPort !== '',
    hasUpperCaseProtocol: protocol !== protocol.toLowerCase(),
  }
}

function portRange(text: string, what: 'containerPort' | 'hostPort'): [first: number, last: number] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? first)
  if (match === null || first > last || last > 65_535) throw new DockerfileError(`invalid ${what}: ${text}`)
  return [first, last]
}
