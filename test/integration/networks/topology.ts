/**
 * Hosts and containers for the network tests. The test itself runs in the namespace of "the host" (see `unshared.ts`); `ip` and `nft` set up and look at
 * what is not under test.
 *
 *     client 192.0.2.2 ── ext0 192.0.2.1 ┤ host ├ gantry0 172.17.0.1 ── containers
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type NetnsPlan,
  createNetworkNamespaces,
  createPortProbe,
  createSysctls,
  inNetworkNamespace,
  openConntrack,
  openNftables,
  openRouteNetlink,
} from '#kernel'
import { createMemoryMetadata, type Metadata } from '#metadata'
import {
  createNameServer,
  createNetworkService,
  type Endpoint,
  type EndpointRequest,
  type IpamConfig,
  type NetworkCreateRequest,
  type NetworkOptions,
  type NetworkRecord,
  type NetworkService,
  type PortRequest,
  type SandboxRequest,
} from '#networks'
import { OPTIONS } from '../../../src/networks/testing/fake-host.ts'
import type { AgentRequest } from './agent.ts'

export const HOST_ADDRESS = '192.0.2.1'
export const CLIENT_ADDRESS = '192.0.2.2'
export const BRIDGE_ADDRESS = '172.17.0.1'

export function run(command: string): string {
  const [program = '', ...args] = command.split(' ')
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** A host or container, by the process that lives in its namespace. */
export interface Agent extends AsyncDisposable {
  pid: number
  listen(protocol: 'tcp' | 'udp', port: number, host?: string): Promise<string>
  /** What the other side answered: `<address it saw us with> hello`, an errno name, or `no answer` in half a minute. */
  ask(protocol: 'tcp' | 'udp', host: string, port: number, from?: number): Promise<string>
  /** The same where there ought to be no answer: that is waited for for a second only. */
  askInVain(protocol: 'tcp' | 'udp', host: string, port: number, from?: number): Promise<string>
  run(command: string): string
}

/** `isolated` false: in the namespace of the test, that is on the host. */
export async function startAgent(isolated = true): Promise<Agent> {
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'agent.ts')]
  const [command = '', ...args] = isolated ? ['unshare', '-n', ...program] : program
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const waiting = new Map<number, (answer: string) => void>()
  let lastId = 0
  const answered = (id: number): Promise<string> => new Promise((resolve) => waiting.set(id, resolve))
  child.on('message', ({ id, answer }: { id: number; answer: string }) => waiting.get(id)?.(answer))
  await answered(0)
  const pid = child.pid ?? 0
  function request(what: Omit<AgentRequest, 'id'>): Promise<string> {
    const id = ++lastId
    child.send({ id, ...what })
    return answered(id)
  }
  return {
    pid,
    listen: (protocol: 'tcp' | 'udp', port: number, host?: string) =>
      request({ do: 'listen', protocol, port, ...(host !== undefined && { host }) }),
    ask: (protocol, host, port, from) =>
      request({ do: 'ask', patience: 30_000, protocol, host, port, ...(from !== undefined && { from }) }),
    askInVain: (protocol, host, port, from) =>
      request({ do: 'ask', patience: 1000, protocol, host, port, ...(from !== undefined && { from }) }),
    run: (line) => run(`nsenter -t ${pid} -n ${line}`),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Another host on a wire of its own with ours; knows a route to the containers, as an attacker next door would. */
export async function startClient(device: string = 'ext0', host: string = HOST_ADDRESS, address: string = CLIENT_ADDRESS): Promise<Agent> {
  const client = await startAgent()
  run(`ip link add ${device} type veth peer name eth0 netns ${client.pid}`)
  run(`ip addr add ${host}/24 dev ${device}`)
  run(`ip link set ${device} up`)
  client.run(`ip addr add ${address}/24 dev eth0`)
  client.run('ip link set eth0 up')
  client.run(`ip route add default via ${host}`)
  return client
}

export interface Daemon extends Disposable {
  networks: NetworkService
  metadata: Metadata
  /** Lets others change the firewall's table until the next `restore`, as when the daemon is away. */
  disown(): void
}

/** The network service as the daemon wires it; disposing it is the daemon's death. */
export async function startDaemon(options: Partial<NetworkOptions> = {}, before?: Metadata, alive: string[] = []): Promise<Daemon> {
  const stack = new DisposableStack()
  const metadata = before ?? createMemoryMetadata()
  let nftables = openNftables()
  stack.defer(() => nftables[Symbol.dispose]())
  const networks = createNetworkService({
    metadata,
    options: { ...OPTIONS, ...options },
    route: stack.use(openRouteNetlink()),
    namespaces: createNetworkNamespaces(),
    nftables: {
      apply: (table, operations) => nftables.apply(table, operations),
      chains: (table) => nftables.chains(table),
      elements: (table, set) => nftables.elements(table, set),
      [Symbol.dispose]: () => {},
    },
    conntrack: stack.use(openConntrack()),
    sysctls: createSysctls(),
    probe: createPortProbe(),
    nameServer: (directory) => createNameServer(directory),
  })
  await networks.restore(new Set(alive))
  function disown(): void {
    nftables[Symbol.dispose]()
    nftables = openNftables()
  }
  return { networks, metadata, disown, [Symbol.dispose]: () => stack.dispose() }
}

/** Carries a plan out as the launcher does, on the namespace of `agent`. */
export function carryOut(plan: NetnsPlan, agent: Agent): void {
  if (plan.mode !== 'new') return
  using host = openRouteNetlink()
  for (const { bytes, pidOffsets } of plan.host) {
    for (const offset of pidOffsets) bytes.writeUInt32LE(agent.pid, offset)
    host.send(bytes)
  }
  inNetworkNamespace(`/proc/${agent.pid}/ns/net`, () => {
    using inside = openRouteNetlink()
    for (const bytes of plan.inside) inside.send(bytes)
    for (const { path, value } of plan.sysctls) writeFileSync(path, value)
  })
}

export interface StartedContainer extends Agent {
  id: string
  /** Of its first interface. */
  address: string
  address6: string
  endpoints: Endpoint[]
}

/** `networks`: one by name, or several with what is asked of each. */
export async function startContainer(
  daemon: Daemon,
  id: string,
  ports: PortRequest[] = [],
  networks: string | Record<string, EndpointRequest> = 'bridge',
): Promise<StartedContainer> {
  await using stack = new AsyncDisposableStack()
  const agent = stack.use(await startAgent())
  const { plan, endpoints } = await daemon.networks.attach({
    ...sandbox(id, ports),
    networks: typeof networks === 'string' ? { [networks]: {} } : networks,
  })
  carryOut(plan, agent)
  stack.move()
  return { ...agent, id, address: endpoints[0]?.ipv4Address ?? '', address6: endpoints[0]?.ipv6Address ?? '', endpoints }
}

export function sandbox(id: string, ports: PortRequest[] = []): SandboxRequest {
  return { containerId: id, containerName: id, hostname: id, ports }
}

/** A network by name with whatever else the test is about. */
export async function createNetwork(daemon: Daemon, name: string, more: Partial<NetworkCreateRequest> = {}): Promise<NetworkRecord> {
  return daemon.networks.create({
    name,
    driver: '',
    scope: '',
    internal: false,
    attachable: false,
    ingress: false,
    configOnly: false,
    configFrom: '',
    ipam: { driver: '', options: {}, config: [] },
    options: {},
    labels: {},
    ...more,
  })
}

export function subnets(...config: IpamConfig[]): NetworkRecord['ipam'] {
  return { driver: '', options: {}, config }
}

export function publish(hostPort: string, containerPort: number, protocol: PortRequest['protocol'] = 'tcp', hostIp = ''): PortRequest {
  return { containerPort, protocol, hostIp, hostPort }
}
