/** The four ways to build that users have, behind one shape. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, type Engine } from '../../harness/index.ts'

export interface BuildClient {
  name: string
  /** Why it cannot be tried on this machine; undefined: it can. */
  missing: string | undefined
  /** Builds `directory` as `tag`; gives all that was said. Throws when it fails. */
  build(engine: Engine, directory: string, tag: string, ...args: string[]): string
}

/** Path of a plugin of the docker CLI that a script fetches; undefined, with the reason, when it cannot be had. */
function fetchedPlugin(script: string): { path: string | undefined; reason: string } {
  const made = spawnSync(join(ROOT, script), { encoding: 'utf8' })
  return made.status === 0 ? { path: made.stdout.trim(), reason: '' } : { path: undefined, reason: made.stderr.trim() }
}

const buildx = fetchedPlugin('tools/buildx.sh')
const compose = fetchedPlugin('tools/compose-v2.sh')
const hasDocker = spawnSync('which', ['docker']).status === 0

/** Lets the docker CLI find the plugins. */
function addPlugins(engine: Engine): void {
  const directory = join(engine.directory, 'docker-config', 'cli-plugins')
  mkdirSync(directory, { recursive: true })
  for (const [name, { path }] of [
    ['docker-buildx', buildx],
    ['docker-compose', compose],
  ] as const) {
    if (path !== undefined && !existsSync(join(directory, name))) symlinkSync(path, join(directory, name))
  }
}

function said(what: string, { status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }): string {
  if (status !== 0) throw new Error(`${what}: exit ${status}:\n${stderr}${stdout}`)
  return stdout + stderr
}

const noDocker = hasDocker ? undefined : 'the docker CLI is not installed'

export const CLASSIC: BuildClient = {
  name: 'docker CLI, classic',
  missing: noDocker,
  build: (engine, directory, tag, ...args) =>
    said('docker build', engine.docker(['build', '-t', tag, ...args, directory], { env: { DOCKER_BUILDKIT: '0' } })),
}

export const BUILDX: BuildClient = {
  name: 'docker CLI with buildx',
  missing: noDocker ?? (buildx.path === undefined ? buildx.reason : undefined),
  build(engine, directory, tag, ...args) {
    addPlugins(engine)
    return said('docker build', engine.docker(['build', '-t', tag, ...args, directory], { env: { DOCKER_BUILDKIT: '1' } }))
  },
}

export const GANTRY: BuildClient = {
  name: 'gantry CLI',
  missing: undefined,
  build: (engine, directory, tag, ...args) => said('gantry build', engine.gantry(['build', '-t', tag, ...args, directory])),
}

export const COMPOSE: { missing: string | undefined; run(engine: Engine, ...args: string[]): string } = {
  missing: noDocker ?? (compose.path === undefined ? compose.reason : undefined),
  run(engine, ...args) {
    addPlugins(engine)
    return said('docker compose', engine.docker(['compose', ...args]))
  },
}
