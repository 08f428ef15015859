import { existsSync, readFileSync } from 'node:fs'
import { parseEndpoint, type Endpoint, type TlsMaterial } from '#client'
import type { ConfigFile } from './config-file.ts'
import { DEFAULT_CONTEXT, readContext, readContextTls } from './context-store.ts'

/** Our own daemon's socket is asked first; a machine with Docker alone is served just as well. */
export const GANTRY_SOCKET = '/var/run/gantry.sock'
export const DOCKER_SOCKET = '/var/run/docker.sock'

export interface EndpointChoice {
  hosts: readonly string[]
  context: string
  tls: boolean
  tlsVerify: boolean
  tlsCa: string
  tlsCert: string
  tlsKey: string
  /** Whether certificate paths were given: then a missing file is an error. */
  tlsPathsGiven: boolean
}

type Environment = Record<string, string | undefined>

/** Name of the context in force: `-H` and DOCKER_HOST mean `default`, then `--context`, DOCKER_CONTEXT, the configuration. */
export function currentContextName(choice: Pick<EndpointChoice, 'hosts' | 'context'>, env: Environment, config: ConfigFile): string {
  if (choice.context !== '') return choice.context
  if (choice.hosts.length > 0) return DEFAULT_CONTEXT
  if ((env['DOCKER_HOST'] ?? '') !== '') return DEFAULT_CONTEXT
  const name = env['DOCKER_CONTEXT'] ?? ''
  if (name !== '') return name
  return config.currentContext === undefined || config.currentContext === '' ? DEFAULT_CONTEXT : config.currentContext
}

/** Throws Error with Docker's text when the daemon's address cannot be made out. */
export function resolveEndpoint(choice: EndpointChoice, contextName: string, configDirectory: string, env: Environment): Endpoint {
  if (contextName === DEFAULT_CONTEXT) return defaultEndpoint(choice, env)
  const context = readContext(configDirectory, contextName)
  const docker = context.Endpoints.docker
  const files = readContextTls(configDirectory, contextName)
  const tls: TlsMaterial | undefined =
    Object.keys(files).length > 0 || docker?.SkipTLSVerify === true ? { ...files, verify: docker?.SkipTLSVerify !== true } : undefined
  return parseEndpoint(docker?.Host === undefined || docker.Host === '' ? defaultSocket() : docker.Host, tls)
}

/** The address without any context: `-H`, DOCKER_HOST, else a socket. */
export function defaultHost(choice: Pick<EndpointChoice, 'hosts' | 'tls' | 'tlsVerify'>, env: Environment): string {
  if (choice.hosts.length > 1) throw new Error('Specify only one -H')
  return completeHost(choice.hosts[0] ?? env['DOCKER_HOST'] ?? '', choice.tls || choice.tlsVerify)
}

function defaultEndpoint(choice: EndpointChoice, env: Environment): Endpoint {
  const useTls = choice.tls || choice.tlsVerify
  const material = useTls ? readTlsFiles(choice) : undefined
  return parseEndpoint(defaultHost(choice, env), material)
}

/** Docker's short forms: a host or port alone means tcp, an empty text the default socket. */
function completeHost(text: string, tls: boolean): string {
  const host = text.trim()
  if (host === '') return tls ? 'tcp://localhost:2376' : defaultSocket()
  if (host.includes('://')) {
    if (host === 'unix://') return defaultSocket()
    if (!/^(?:unix|tcp|http|https|ssh):\/\//.test(host)) throw new Error(`invalid bind address format: ${host}`)
    return host
  }
  return `tcp://${host.startsWith(':') ? `localhost${host}` : host}`
}

function defaultSocket(): string {
  return `unix://${existsSync(GANTRY_SOCKET) ? GANTRY_SOCKET : DOCKER_SOCKET}`
}

function readTlsFiles(choice: EndpointChoice): TlsMaterial {
  const read = (path: string, what: string): string | undefined => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !choice.tlsPathsGiven) return undefined
      throw new Error(`could not read ${what} ${JSON.stringify(path)}: ${(error as Error).message}`, { cause: error })
    }
  }
  const ca = choice.tlsVerify ? read(choice.tlsCa, 'CA certificate') : undefined
  const cert = read(choice.tlsCert, 'TLS certificate')
  const key = read(choice.tlsKey, 'TLS key')
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    verify: choice.tlsVerify,
  }
}
