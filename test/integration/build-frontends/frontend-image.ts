import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from '../../harness/index.ts'

/**
 * The program of the image: it tells its variables, then joins its standard streams with the program on the host that speaks for it. busybox has no gRPC, and an
 * image with a language that has it would take longer to make than all tests that use it. What is wrong with it by itself it does itself.
 */
const PROGRAM = `#!/bin/sh
case "$(env | sed -n 's/.*=cmdline=front //p')" in
  dies) echo trouble >&2; exit 4 ;;
  silent) exit 0 ;;
  nonsense) echo this is no HTTP/2, whatever it may look like; exec sleep 1000 ;;
esac
mkfifo /in
exec 3<&0
{ env; echo; exec cat <&3; } >/in &
exec nc "$(ip route | awk '/^default/ { print $3 }')" "$1" </in
`

/** The image `front`: a frontend that does what the word behind its name in \`# syntax=\` says (\`frontend-program.ts\`). */
export class FrontendImage implements AsyncDisposable {
  readonly #program: ChildProcess

  private constructor(program: ChildProcess) {
    this.#program = program
  }

  static async start(engine: Engine): Promise<FrontendImage> {
    const [command = '', ...args] = engine.host.wrap([
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'frontend-program.ts'),
    ])
    const program = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [port] = (await once(program.stdout, 'data')) as [Buffer]
    buildImage(engine, 'front', {
      Dockerfile: `
        FROM starter
        COPY --chmod=755 program /program
        LABEL moby.buildkit.frontend.caps=moby.buildkit.frontend.inputs
        ENTRYPOINT ["/program", "${port.toString().trim()}"]`,
      program: PROGRAM,
    })
    return new FrontendImage(program)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#program, 'exit')
    this.#program.kill()
    await ended
  }
}

/** An image of these files, made by Gantry's own builder. */
export function buildImage(engine: Engine, name: string, files: Readonly<Record<string, string>>): void {
  const built = engine.gantry(['build', '-q', '-t', name, project(engine, name, files)])
  if (built.status !== 0) throw new Error(`Cannot build ${name}: ${built.stderr}`)
}

/** A directory with these files. */
export function project(engine: Engine, name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(engine.directory, name)
  mkdirSync(directory, { recursive: true })
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text)
  return directory
}
