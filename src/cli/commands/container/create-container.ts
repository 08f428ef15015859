import { familiarString, fullName, parseAnyReference, parseReference, withDefaultTag } from '#oci'
import { createContainer, isNotFound, pullImage, type EngineClient } from '#client'
import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs'
import type { Cli } from '../../cli.ts'
import { UsageError } from '../../errors.ts'
import { SILENT } from '../../terminal/output.ts'
import { showProgress } from '../../terminal/progress.ts'
import { withProxyVariables } from '../../config/environment-proxies.ts'
import { createBody, type CreateBody } from './container-config.ts'
import type { CreateValues } from './create-flags.ts'
import { wantedPlatform } from '../../config/wanted-platform.ts'

const PULL_POLICIES = ['always', 'missing', 'never', '']

export interface CreateInvocation {
  flags: CreateValues & { pull: string }
  changed: ReadonlySet<string>
  args: readonly string[]
}

/** The body for a command line. Throws Error with Docker's text for options that do not go together. */
export function prepareBody(cli: Cli, { flags, changed, args }: CreateInvocation): CreateBody {
  const [image = '', ...command] = args
  if (!PULL_POLICIES.includes(flags.pull)) {
    throw new UsageError(`invalid pull option: '${flags.pull}': must be one of "always", "missing" or "never"`)
  }
  if (!flags['disable-content-trust'] || (cli.env['DOCKER_CONTENT_TRUST'] ?? '') === '1')
    throw new UsageError('content trust is not supported')
  if (flags['use-api-socket']) throw new UsageError('--use-api-socket is not supported')
  const env = withProxyVariables(cli.config, cli.engine().endpoint.text, flags.env)
  return createBody({ flags: { ...flags, env }, changed, image, command, env: cli.env, workingDirectory: process.cwd() })
}

/**
 * Creates the container, pulling its image when it is missing (or always, as `--pull` says). Warnings go to standard error, the id to
 * `--cidfile` too. Resolves with the id.
 */
export async function createWithPull(cli: Cli, body: CreateBody, flags: CreateInvocation['flags']): Promise<string> {
  using idFile = openIdFile(flags.cidfile)
  const name = namedReference(body.Image)
  const engine = cli.engine()
  if (flags.pull === 'always') await pull(cli, engine, body.Image, flags)
  const size = cli.stdout.size() ?? [0, 0]
  body.HostConfig.ConsoleSize = size
  const { platform } = wantedPlatform(cli, flags.platform)
  let created
  try {
    created = await createContainer(engine, flags.name, body, platform)
  } catch (error) {
    if (!isNotFound(error) || name === undefined || flags.pull !== 'missing') throw error
    if (!flags.quiet) cli.warn(`Unable to find image '${name}' locally`)
    await pull(cli, engine, body.Image, flags)
    created = await createContainer(engine, flags.name, body, platform)
  }
  const warnings = [...(created.Warnings ?? [])]
  const loopback = (flags.dns ?? []).find((address) => address.startsWith('127.') || address === '::1')
  if (loopback !== undefined) warnings.push(`Localhost DNS (${loopback}) may fail in containers.`)
  for (const warning of warnings) cli.warn(`WARNING: ${warning}`)
  idFile.write(created.Id)
  return created.Id
}

async function pull(cli: Cli, engine: EngineClient, image: string, flags: CreateInvocation['flags']): Promise<void> {
  // Loaded for a pull only: asking credential helpers takes node:child_process.
  const { registryAuth } = await import('../../config/registry-auth.ts')
  const reference = withDefaultTag(parseReference(image))
  const response = await pullImage(engine, {
    fromImage: fullName(reference),
    tag: reference.digest ?? reference.tag ?? '',
    ...wantedPlatform(cli, flags.platform),
    auth: registryAuth(cli, reference.domain),
  })
  await showProgress(response.body, flags.quiet ? SILENT : cli.stderr)
}

/** `alpine:latest` for `alpine`; undefined when the text is an image id. Throws Error for what is neither. */
function namedReference(image: string): string | undefined {
  const parsed = parseAnyReference(image)
  return 'id' in parsed ? undefined : familiarString(withDefaultTag(parsed.name))
}

/** The file of `--cidfile`: made before the container, and taken away again when there is none in the end. */
function openIdFile(path: string): { write(id: string): void } & Disposable {
  if (path === '') return { write() {}, [Symbol.dispose]() {} }
  if (existsSync(path)) throw new Error(`container ID file found, make sure the other container isn't running or delete ${path}`)
  let fd: number
  try {
    fd = openSync(path, 'wx', 0o666)
  } catch (error) {
    throw new Error(`failed to create the container ID file: open ${path}: no such file or directory`, { cause: error })
  }
  let written = false
  return {
    write(id) {
      writeSync(fd, id)
      written = true
    },
    [Symbol.dispose]() {
      closeSync(fd)
      if (!written) rmSync(path, { force: true })
    },
  }
}
