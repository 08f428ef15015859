import { EngineError } from '#errors'
import { isGoTrue } from '#lib'
import type { ImageConfigFile } from '#oci'
import type { DebugProcess, FrontendRequest } from '../types.ts'

/** How the program of a frontend's image is run. */
export interface FrontendProgram extends Omit<DebugProcess, 'tty'> {
  readonly network: 'default' | 'none'
}

const LABEL = 'moby.buildkit.frontend.'
const INPUTS = 'moby.buildkit.frontend.inputs'

/**
 * What an image's config says of the frontend in it, and how it is told what the client wants. As with BuildKit it runs as root, and without an entrypoint it is
 * `/run`. Throws NOT_IMPLEMENTED when it lacks what the client needs. Source: moby/buildkit frontend/gateway/gateway.go.
 */
export function frontendProgram({ config = {} }: Pick<ImageConfigFile, 'config'>, { options, inputs }: FrontendRequest): FrontendProgram {
  const { Entrypoint, Env, WorkingDir, Labels } = config
  const offered = capabilities(Labels?.[`${LABEL}caps`])
  const needed = capabilities(options['frontend.caps'])
  if (Object.keys(inputs).length > 0) needed.add(INPUTS)
  for (const name of needed) if (!offered.has(name)) throw new EngineError('NOT_IMPLEMENTED', `unsupported frontend capability ${name}`)
  const told = Object.entries(options).map(([name, value], index) => `BUILDKIT_FRONTEND_OPT_${index}=${name}=${value}`)
  return {
    args: Entrypoint ?? ['/run'],
    env: [...(Env ?? []), ...told],
    cwd: WorkingDir || '/',
    user: '',
    network: isGoTrue(Labels?.[`${LABEL}network.none`]) ? 'none' : 'default',
  }
}

/** What is behind a `+` says what is to be done without the capability, and is for others. */
function capabilities(list = ''): Set<string> {
  return new Set(list.split(',').flatMap((entry) => entry.split('+', 1)[0] || []))
}
