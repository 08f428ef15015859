import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { policy } from '#grpc'
import { parseReference } from '#oci'
import type { Cli } from '../cli.ts'
import { credentialKey, hostnameOf, storedAuth } from '../config/credentials.ts'
import { wantedPlatform } from '../config/wanted-platform.ts'
import { buildArguments, cacheOfArguments } from './build-arguments.ts'
import { planContext, planNamedContexts, UPLOAD_URL, type ContextPlan } from './build-context.ts'
import type { BuildValues } from './build-flags.ts'
import { parseCacheOption, type CacheOption } from './cache-options.ts'
import { parseCallOption, type CallOption } from './call-option.ts'
import { frontendOptions } from './frontend-options.ts'
import { DELETE_ANYWHERE } from './delete-mode.ts'
import { findLocalCache } from './local-cache.ts'
import { buildOutputs, type BuildOutput } from './outputs.ts'
import { requireArchive } from './require-archive.ts'
import { secretStore } from './secrets.ts'
import { withEnvironment } from './service-cache.ts'
import { readSourcePolicy } from './source-policy.ts'
import type { SessionResources } from './session/session-services.ts'
import { spoolDockerfile } from './spool-dockerfile.ts'
import { sshAgents } from './ssh-agents.ts'

/** Everything about a build that the command line says. */
export interface BuildRequest extends Disposable {
  options: Record<string, string>
  resources: SessionResources
  outputs: readonly BuildOutput[]
  cacheFrom: readonly CacheOption[]
  cacheTo: readonly CacheOption[]
  entitlements: readonly string[]
  /** undefined: all sources are allowed. */
  sourcePolicy: policy.Policy | undefined
  /** undefined: it is a build. */
  call: CallOption | undefined
}

/** Throws Error with buildx's texts for what cannot be. */
export async function buildRequest(
  cli: Pick<Cli, 'config' | 'contextName' | 'env' | 'stdout' | 'warn'>,
  flags: BuildValues,
  context: string,
): Promise<BuildRequest> {
  refuseContradictions(flags)
  checkNames(flags.tag)
  for (const warning of warnings(flags)) cli.warn(`WARNING: ${warning}`)
  const call = parseCallOption(flags.check ? 'check' : flags.call)
  const plan = planContext(context, flags.file)
  const named = planNamedContexts(flags['build-context'])
  const args = buildArguments(cli, flags['build-arg'])
  const outputs = buildOutputs(flags, { stdoutIsTerminal: cli.stdout.isTerminal })
  const caches = (texts: readonly string[], direction: 'from' | 'to'): CacheOption[] =>
    texts.flatMap((text) => withEnvironment(parseCacheOption(text, direction), cli.env) ?? [])
  const cacheFrom = caches(flags['cache-from'], 'from').flatMap((option) => findLocalCache(option, cli.warn) ?? [])
  const cacheTo = caches([...flags['cache-to'], ...cacheOfArguments(args)], 'to')
  const platform = flags.platform.length > 0 ? {} : wantedPlatform(cli, '')
  using undo = new DisposableStack()
  const input = await standardInput(plan, undo)
  const kept = undo.move()
  return {
    options: {
      ...frontendOptions(flags, args),
      ...platform,
      ...plan.options,
      ...named.options,
      ...input.options,
      ...(call !== undefined && { requestid: call.request }),
    },
    resources: {
      directories: { ...plan.directories, ...named.directories, ...input.directories },
      secrets: secretStore(flags.secret, cli.env),
      agents: sshAgents(flags.ssh, cli.env),
      credentials: (registry) => storedAuth(cli, credentialKey(hostnameOf(registry))),
      ...(input.upload !== undefined && { upload: input.upload }),
      outputs,
      stores: storeDirectories(named.layouts, [...cacheFrom, ...cacheTo]),
    },
    outputs,
    cacheFrom,
    cacheTo,
    // Who asks for it for all steps grants it, as with buildx.
    entitlements: [...flags.allow.filter((name) => name !== DELETE_ANYWHERE), ...(flags.network === 'host' ? ['network.host'] : [])],
    sourcePolicy: readSourcePolicy(cli.env),
    call,
    [Symbol.dispose]: () => kept.dispose(),
  }
}

/** Devices may be allowed one by one. */
const ENTITLEMENTS: readonly string[] = ['network.host', 'security.insecure', 'device']

function refuseContradictions({ allow, progress, quiet, ...flags }: BuildValues): void {
  if (flags['no-cache'] && flags['no-cache-filter'].length > 0)
    throw new Error('--no-cache and --no-cache-filter cannot currently be used together')
  if (quiet && !['', 'auto', 'quiet'].includes(progress)) throw new Error(`progress=${progress} and quiet cannot be used together`)
  const unknown = allow.find((name) => ![...ENTITLEMENTS, DELETE_ANYWHERE].includes(name) && !name.startsWith('device='))
  if (unknown !== undefined) throw new Error(`unknown entitlement ${unknown}`)
}

/** A build is not begun for a name that its image cannot have. Throws Error. */
function checkNames(names: readonly string[]): void {
  for (const name of names) {
    try {
      parseReference(name)
    } catch (error) {
      throw new Error(`invalid tag ${JSON.stringify(name)}: ${(error as Error).message}`, { cause: error })
    }
  }
}

/** What was asked for in the classic builder's words and is not done; in buildx's. What `rm`, `force-rm` and `compress` ask for is so, or makes no difference. */
function warnings(flags: BuildValues): string[] {
  return [
    ...(flags.isolation === '' ? [] : ['isolation flag is deprecated with BuildKit.']),
    ...(flags['security-opt'].length === 0
      ? []
      : ['security-opt flag is deprecated. "RUN --security=insecure" should be used with BuildKit.']),
    ...(flags.squash
      ? ['experimental flag squash is removed with BuildKit. You should squash inside build using a multi-stage Dockerfile for efficiency.']
      : []),
  ]
}

interface InputPlan extends Pick<ContextPlan, 'options'> {
  directories?: Record<string, string>
  upload?: NonNullable<SessionResources['upload']>
}

/** A context from standard input is offered as an upload; a Dockerfile is put into a directory of its own. */
async function standardInput({ standardInput: kind, options }: ContextPlan, undo: DisposableStack): Promise<InputPlan> {
  if (kind === 'none') return { options: {} }
  // Not `process.stdin`: it would have to be closed for the program to end.
  const read = (): AsyncIterable<Uint8Array> => createReadStream('', { fd: 0, autoClose: false })
  if (kind === 'dockerfile') return { options: {}, directories: { dockerfile: undo.use(await spoolDockerfile(read())).path } }
  const path = randomUUID().replaceAll('-', '')
  const archive = options['filename'] === undefined ? undefined : await requireArchive(read())
  return { options: { context: `${UPLOAD_URL}${path}` }, upload: { path, read: () => archive ?? read() } }
}

/** Named by what the engine asks for: a layout by its context's name, a cache by its directory. */
function storeDirectories(layouts: Readonly<Record<string, string>>, caches: readonly CacheOption[]): Map<string, string> {
  const stores = new Map(Object.entries(layouts))
  for (const { directory } of caches) if (directory !== undefined) stores.set(`local:${directory}`, directory)
  return stores
}
