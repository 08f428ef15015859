/** What a container learns of one it is linked to (`--link`), as variables. Source: moby daemon/links/links.go. */

export interface LinkedContainer {
  /** `/web/db`: the linking container's name and the alias. */
  name: string
  address: string
  env: readonly string[]
  /** `80/tcp`. */
  exposedPorts: readonly string[]
}

interface Port {
  number: number
  protocol: string
}

/** `DB_PORT=tcp://172.17.0.2:5432`, five more for each port, four for each run of consecutive ones, the name, and the other's own variables. */
export function linkEnvironment({ name, address, env, exposedPorts }: LinkedContainer): string[] {
  const alias = name
    .slice(name.lastIndexOf('/') + 1)
    .toUpperCase()
    .replaceAll('-', '_')
  const ports = exposedPorts.map(parse).toSorted(tcpFirst)
  const url = ({ protocol, number }: Port): string => `${protocol}://${address}:${number}`
  const [first] = ports
  return [
    ...(first === undefined ? [] : [`${alias}_PORT=${url(first)}`]),
    ...runsOf(ports).flatMap((run) => runVariables(alias, run, address, url)),
    `${alias}_NAME=${name}`,
    ...env.filter((entry) => entry.includes('=') && !/^(HOME|PATH)=/.test(entry)).map((entry) => `${alias}_ENV_${entry}`),
  ]
}

function runVariables(alias: string, run: readonly Port[], address: string, url: (port: Port) => string): string[] {
  const prefixOf = ({ number, protocol }: Port): string => `${alias}_PORT_${number}_${protocol.toUpperCase()}`
  const variables = run.flatMap((port) => [
    `${prefixOf(port)}=${url(port)}`,
    `${prefixOf(port)}_ADDR=${address}`,
    `${prefixOf(port)}_PORT=${port.number}`,
    `${prefixOf(port)}_PROTO=${port.protocol}`,
  ])
  const [start, end] = [run[0], run.at(-1)]
  if (start === undefined || end === undefined || start === end) return variables
  const prefix = prefixOf(start)
  return [
    ...variables,
    `${prefix}_START=${url(start)}`,
    `${prefix}_PORT_START=${start.number}`,
    `${prefix}_END=${url(end)}`,
    `${prefix}_PORT_END=${end.number}`,
  ]
}

/** Consecutive numbers of one protocol together. */
function runsOf(ports: readonly Port[]): Port[][] {
  const runs: Port[][] = []
  for (const port of ports) {
    const last = runs.at(-1)?.at(-1)
    if (last?.protocol === port.protocol && last.number + 1 === port.number) runs.at(-1)?.push(port)
    else runs.push([port])
  }
  return runs
}

function parse(exposed: string): Port {
  const [number = '0', protocol = 'tcp'] = exposed.split('/')
  return { number: Number(number), protocol }
}

function tcpFirst(a: Port, b: Port): number {
  if (a.protocol === b.protocol) return a.number - b.number
  if (a.protocol === 'tcp') return -1
  if (b.protocol === 'tcp') return 1
  return a.protocol < b.protocol ? -1 : 1
}
