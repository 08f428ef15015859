/**
 * Containers, servers and questions for the tests of the resolver. The test runs in the namespace of "the host" (see `unshared.ts`): dnsmasq there is
 * what the host's resolv.conf names, `dig` inside a container's namespace is the client. What dig gets from dnsmasq itself is the measure.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import type { Endpoint, NameDirectory } from '#networks'
import { eventually } from '../../harness/eventually.ts'

const run = promisify(execFile)

export const UPSTREAM = '192.0.2.53'
export const SECOND = '192.0.2.54'
/** Has the address, and nobody listens: refuses at once. */
export const CLOSED = '192.0.2.55'
export const SILENT = '192.0.2.56'

/** Nobody's resolver is asked, everything else about `example.test` is said to be no such name. */
const ZONE = [
  '--host-record=v4.example.test,192.0.2.10',
  '--host-record=v6.example.test,2001:db8::10',
  '--host-record=dual.example.test,192.0.2.11,2001:db8::11',
  '--host-record=MiXed.example.test,192.0.2.12',
  '--cname=alias.example.test,dual.example.test',
  '--cname=chain1.example.test,chain2.example.test',
  '--cname=chain2.example.test,chain3.example.test',
  '--cname=chain3.example.test,v4.example.test',
  '--cname=dangling.example.test,nowhere.example.test',
  '--txt-record=txt.example.test,one two',
  '--txt-record=multi.example.test,first,second',
  '--txt-record=quoted.example.test,"a ""b"" c"',
  '--mx-host=example.test,v4.example.test,10',
  '--mx-host=example.test,v6.example.test,20',
  '--srv-host=_http._tcp.example.test,v4.example.test,8080,5,7',
  '--srv-host=_ldap._tcp.example.test,dual.example.test,389',
  '--ptr-record=_printer._tcp.example.test,office._printer._tcp.example.test',
  '--caa-record=example.test,0,issue,ca.example.test',
  '--naptr-record=example.test,10,20,u,SIP+D2U,!^.*$!sip:info@example.test!',
  '--dns-rr=odd.example.test,65280,01:02:03:ff',
  '--dns-rr=loc.example.test,29,00:12:16:13:8b:0d:0d:a8:71:3c:4b:20:00:98:8d:20',
  '--host-record=short.example.test,192.0.2.13,2',
  ...many(30, (index) => `--host-record=crowd.example.test,192.0.2.${index + 100}`),
  ...many(12, (index) => `--txt-record=long.example.test,${`${index} `.padEnd(200, 'x')}`),
  ...many(40, (index) => `--txt-record=huge.example.test,${`${index} `.padEnd(200, 'y')}`),
]

function many(count: number, make: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** A process and whatever it stands for; ends with it. */
class Child implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #exited: Promise<unknown>

  constructor(process: ChildProcess) {
    this.#process = process
    this.#exited = once(process, 'exit')
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#exited
  }
}

/** A network namespace with lo. */
export async function startNamespace(): Promise<Child> {
  const holder = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up && echo ready && exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  return new Child(holder)
}

/** dnsmasq at an address; `pid`: in that process's namespace. Besides the options given it knows the zone above. */
export async function startDnsmasq(address: string, options: readonly string[] = [], pid?: number): Promise<Child> {
  const command = [
    'dnsmasq',
    '--keep-in-foreground',
    '--no-resolv',
    '--no-hosts',
    '--conf-file=/dev/null',
    '--pid-file=',
    '--user=root',
    '--local-ttl=60',
    '--local=/test/',
    '--local=/in-addr.arpa/',
    '--local=/ip6.arpa/',
    '--bind-interfaces',
    `--listen-address=${address}`,
    ...ZONE,
    ...options,
  ]
  const [program = '', ...args] = pid === undefined ? command : ['nsenter', '-t', String(pid), '-n', ...command]
  const server = new Child(spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }))
  await eventually(async () => assert.equal((await dig(pid, address, 'v4.example.test A +tries=1 +time=1')).status, 'NOERROR'))
  return server
}

/** What dig understood. */
export interface Reply {
  /** `NOERROR`, `NXDOMAIN` …, or `no answer`. */
  status: string
  /** `qr aa rd ra`, `tc` among them. */
  flags: string
  /** Lines of the answer section without times to live, in order of the alphabet. */
  answers: string[]
  ttl: number
}

/** Asks the server as seen from the namespace of `pid` (absent: the host). `what`: name, type and dig's options. */
export async function dig(pid: number | undefined, server: string, what: string): Promise<Reply> {
  const command = ['dig', `@${server}`, '+nocookie', '+noall', '+comments', '+answer', ...what.split(' ')]
  const [program = '', ...args] = pid === undefined ? command : ['nsenter', '-t', String(pid), '-n', ...command]
  const { stdout } = await run(program, args).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }))
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'))
  const records = lines.map((line) => /^(\S+)\s+(\d+)\s+(.*)$/.exec(line)).filter((match) => match !== null)
  return {
    status: /status: (\w+)/.exec(stdout)?.[1] ?? 'no answer',
    flags: /flags: ([\w ]*)/.exec(stdout)?.[1] ?? '',
    answers: records.map(([, name, , rest]) => `${name} ${rest?.replaceAll('\t', ' ')}`).toSorted(),
    ttl: Number(records[0]?.[2] ?? -1),
  }
}

/** The last words of the answer lines: addresses, names. */
export function values({ answers }: Reply): string[] {
  return answers.map((line) => line.split(' ').at(-1) ?? '').toSorted()
}

/** Endpoints by container, that tests change as they like. */
export interface FakeDirectory extends NameDirectory {
  put(...endpoints: Endpoint[]): void
  remove(containerId: string, networkName: string): void
  readonly internal: Set<string>
}

export function createDirectory(): FakeDirectory {
  let all: Endpoint[] = []
  let onNetwork = new Map<string, Endpoint[]>()
  const internal = new Set<string>()
  function replace(endpoints: Endpoint[]): void {
    all = endpoints
    onNetwork = Map.groupBy(all, ({ networkId }) => networkId)
  }
  return {
    internal,
    put: (...endpoints) => replace([...all, ...endpoints]),
    remove: (containerId, networkName) =>
      replace(all.filter((endpoint) => endpoint.containerId !== containerId || endpoint.networkName !== networkName)),
    endpointsOf: (containerId) => all.filter((endpoint) => endpoint.containerId === containerId),
    endpointsOn: (networkId) => onNetwork.get(networkId) ?? [],
    isInternal: (networkId) => internal.has(networkId),
  }
}

/** `names`: container name first. `addresses`: at most one of each family. */
export function endpoint(containerId: string, networkName: string, names: string[], addresses: string[], links: string[] = []): Endpoint {
  return {
    id: `${containerId}-${networkName}`,
    networkId: `id-of-${networkName}`,
    networkName,
    containerId,
    interfaceName: 'eth0',
    hostInterface: '',
    macAddress: '',
    ipv4Address: addresses.find((address) => address.includes('.')) ?? '',
    ipv4PrefixLength: 24,
    ipv4Gateway: '',
    ipv6Address: addresses.find((address) => address.includes(':')) ?? '',
    ipv6PrefixLength: 64,
    ipv6Gateway: '',
    aliases: [],
    links,
    dnsNames: names,
    ports: [],
  }
}
