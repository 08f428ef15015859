import type { Peer } from '../peers/peer.ts'

/** One row of the results. */
export interface Scenario {
  /** Stable name, also the row's key in SPECIFICATION.md. */
  name: string
  unit: 'ms' | '/s' | 'MB/s' | 'KiB' | 'MiB'
  better: 'lower' | 'higher'
  /** Measured on Gantry only, because the peer would take minutes; a comment says what it took once. */
  alone?: true
  /** Samples; the median is reported. */
  run(peer: Peer): Promise<number[]>
}

export interface CreateOptions {
  network?: string
  command?: string[]
  binds?: string[]
  tty?: boolean
  attach?: boolean
  ports?: Record<string, { HostPort: string }[]>
  autoRemove?: boolean
}

/** Creates a container of the starter image; returns its id. */
export async function create(peer: Peer, options: CreateOptions = {}): Promise<string> {
  const { Id }: { Id: string } = await peer.api.call('POST', '/containers/create', {
    Image: 'starter',
    Cmd: options.command ?? ['true'],
    Tty: options.tty ?? false,
    AttachStdout: options.attach ?? false,
    AttachStderr: options.attach ?? false,
    ExposedPorts: Object.fromEntries(Object.keys(options.ports ?? {}).map((port) => [port, {}])),
    HostConfig: {
      NetworkMode: options.network ?? 'none',
      Binds: options.binds ?? [],
      PortBindings: options.ports ?? {},
      AutoRemove: options.autoRemove ?? false,
    },
  })
  return Id
}

export async function start(peer: Peer, id: string): Promise<void> {
  await peer.api.call('POST', `/containers/${id}/start`)
}

export async function wait(peer: Peer, id: string): Promise<void> {
  await peer.api.call('POST', `/containers/${id}/wait`)
}

export async function remove(peer: Peer, id: string): Promise<void> {
  await peer.api.call('DELETE', `/containers/${id}?force=1`)
}

/** A container that sleeps until it is removed. */
export async function sleeper(peer: Peer, options: CreateOptions = {}): Promise<string> {
  const id = await create(peer, { command: ['sleep', '100000'], ...options })
  await start(peer, id)
  return id
}
