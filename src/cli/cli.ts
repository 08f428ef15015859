import { createEngineClient, type EngineClient, type Endpoint } from '#client'
import { loadConfigFile, type ConfigFile } from './config/config-file.ts'
import { currentContextName, resolveEndpoint, type EndpointChoice } from './config/resolve-endpoint.ts'
import { createOutput, type Output } from './terminal/output.ts'
import { CLI_VERSION, MAX_API_VERSION } from './version.ts'

/** What a command works with: the surroundings, and the engine. */
export interface Cli {
  /** The name we were called by; it stands in help and error texts. */
  readonly program: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: Output
  readonly stderr: Output
  readonly debug: boolean
  readonly configDirectory: string
  readonly config: ConfigFile
  readonly contextName: string
  readonly choice: EndpointChoice
  /** Global flags as they were typed, for plugins. */
  readonly globalArgs: readonly string[]
  /** The engine of the current context, made at the first call. Throws Error when its address cannot be made out. */
  engine(): EngineClient
  /** A line on standard output. */
  print(line: string): void
  /** A line on standard error. */
  warn(line: string): void
  close(): void
}

export interface CliOptions {
  program: string
  env: Readonly<Record<string, string | undefined>>
  debug: boolean
  configDirectory: string
  choice: EndpointChoice
  globalArgs: readonly string[]
}

export function createCli(options: CliOptions): Cli {
  const { env, choice, configDirectory } = options
  const stdout = createOutput(1)
  const stderr = createOutput(2)
  const { config, warning } = loadConfigFile(configDirectory)
  if (warning !== undefined) stderr.write(`${warning}\n`)
  const contextName = currentContextName(choice, env, config)
  let engine: EngineClient | undefined

  function resolve(): Endpoint {
    try {
      return resolveEndpoint(choice, contextName, configDirectory, env)
    } catch (error) {
      throw new Error(`Failed to initialize: unable to resolve docker endpoint: ${(error as Error).message}`, { cause: error })
    }
  }

  function connect(): EngineClient {
    const endpoint = resolve()
    const fixedVersion = env['DOCKER_API_VERSION'] ?? ''
    return createEngineClient({
      endpoint,
      maxVersion: MAX_API_VERSION,
      ...(fixedVersion === '' ? {} : { fixedVersion: fixedVersion.replace(/^v/, '') }),
      userAgent: `Gantry-Client/${CLI_VERSION} (${process.platform})`,
      headers: { ...config.HttpHeaders, ...customHeaders(env['DOCKER_CUSTOM_HEADERS'] ?? '') },
    })
  }

  return {
    program: options.program,
    env,
    stdout,
    stderr,
    debug: options.debug,
    configDirectory,
    config,
    contextName,
    choice,
    globalArgs: options.globalArgs,
    engine: () => (engine ??= connect()),
    print: (line) => stdout.write(`${line}\n`),
    warn: (line) => stderr.write(`${line}\n`),
    close: () => engine?.close(),
  }
}

/** `DOCKER_CUSTOM_HEADERS`: one line of CSV, `name=value` in each field. */
function customHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {}
  if (text === '') return headers
  for (const field of text.match(/"(?:[^"]|"")*"|[^,]+/g) ?? []) {
    const plain = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field
    const equals = plain.indexOf('=')
    const name = plain.slice(0, equals).trim()
    if (equals < 0 || name === '') {
      throw new Error(
        `failed to parse custom headers from DOCKER_CUSTOM_HEADERS environment variable: missing "=" in ${JSON.stringify(plain)}`,
      )
    }
    headers[name] = plain.slice(equals + 1)
  }
  return headers
}
