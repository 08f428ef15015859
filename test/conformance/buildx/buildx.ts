/** docker buildx, in versions that are years apart, against an engine of ours. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe } from 'node:test'
import { Engine, ROOT } from '../../harness/index.ts'

export interface Buildx {
  engine: Engine
  /** Whether this version has what came later: `--call`, `--check`, `history`. */
  isNew: boolean
  /** Runs `docker buildx …`; gives its exit code and all that it said. */
  run: (args: readonly string[], options?: { input?: string | Buffer }) => Said
  /** A directory with these files. */
  project: (files: Readonly<Record<string, string>>) => string
}

export interface Said {
  status: number | null
  stdout: string
  /** Progress and errors. */
  stderr: string
}

/** Debian's suites and what is in them. */
const SUITES = [
  { suite: 'trixie', isNew: false },
  { suite: 'forky', isNew: true },
]

/** Declares `tests` for each version of buildx, each with an engine of its own that has the image `starter`. */
export function withEachBuildx(tests: (buildx: () => Buildx) => void): void {
  const noDocker = spawnSync('which', ['docker']).status === 0 ? undefined : 'the docker CLI is not installed'
  for (const { suite, isNew } of SUITES) {
    const fetched = spawnSync(join(ROOT, 'tools/buildx.sh'), [suite], { encoding: 'utf8' })
    const missing = noDocker ?? (fetched.status === 0 ? undefined : fetched.stderr.trim())
    describe(`buildx of Debian ${suite}`, { skip: missing ?? false }, () => {
      let buildx: Buildx | undefined
      before(async () => {
        buildx = await startBuildx(fetched.stdout.trim(), isNew)
      })
      after(() => buildx?.engine[Symbol.asyncDispose]())
      tests(() => {
        if (buildx === undefined) throw new Error('the engine has not started')
        return buildx
      })
    })
  }
}

async function startBuildx(plugin: string, isNew: boolean): Promise<Buildx> {
  const engine = await Engine.start()
  const plugins = join(engine.directory, 'docker-config/cli-plugins')
  mkdirSync(plugins, { recursive: true })
  symlinkSync(plugin, join(plugins, 'docker-buildx'))
  engine.loadStarter()
  return {
    engine,
    isNew,
    run(args, { input } = {}) {
      const { status, stdout, stderr } = spawnSync('docker', ['buildx', ...args], {
        encoding: 'utf8',
        timeout: 120_000,
        input,
        env: {
          ...process.env,
          DOCKER_HOST: `unix://${engine.socket}`,
          DOCKER_CONFIG: join(engine.directory, 'docker-config'),
          BUILDKIT_PROGRESS: 'plain',
          HOME: engine.directory,
        },
      })
      return { status, stdout, stderr }
    },
    project(files) {
      const directory = mkdtempSync(join(engine.directory, 'project-'))
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, name)), { recursive: true })
        writeFileSync(join(directory, name), text)
      }
      return directory
    },
  }
}

/** Runs buildx, which must succeed; gives its output. */
export function must({ run }: Buildx, args: readonly string[], options?: Parameters<Buildx['run']>[1]): string {
  const said = run(args, options)
  if (said.status !== 0) throw new Error(`docker buildx ${args.join(' ')}: exit ${said.status}: ${said.stderr}${said.stdout}`)
  return said.stdout + said.stderr
}
