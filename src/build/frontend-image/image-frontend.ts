import { invalidArgument } from '#errors'
import { BuildError } from '../build-error.ts'
import type { Frontend } from '../build-deps.ts'
import { decodeOptions } from '../frontend/options.ts'
import type { BuildResult, DebugContainer, FrontendHost, FrontendRequest } from '../types.ts'
import { findFrontendImage } from './find-image.ts'
import { FrontendLog } from './frontend-log.ts'
import { frontendProgram } from './frontend-program.ts'
import { programConnection } from './program-connection.ts'
import { programEnding } from './program-ending.ts'
import type { FrontendProtocol } from './types.ts'

/**
 * The frontend `gateway.v0` for images that are frontends: `source` is run in a container as a RUN step is, and answered on its standard input and output. Its
 * error output is told to the client. The program ends with the build, and the build with the program. `protocol`: loaded for the first that is run.
 */
export function createImageFrontend(protocol: () => Promise<FrontendProtocol>): Frontend {
  return async (request, host) => {
    const { source = '' } = request.options
    const options = decodeOptions(request.options, host.hostPlatform)
    const image = await findFrontendImage(source, options, request, host)
    const { network, ...program } = frontendProgram(image.config, request)
    const spoken = await protocol()
    const { limits, ulimits, cgroupParent } = options.run
    await using container = await host.build.openContainer({
      mounts: [{ target: '/', edge: image.edge, readonly: false, selector: '' }],
      network,
      hostname: '',
      extraHosts: [],
      limits: { limits, ulimits, cgroupParent },
    })
    const env = [...program.env, `BUILDKIT_SESSION_ID=${host.session.id}`, ...spoken.environment()]
    using log = new FrontendLog(host, source)
    try {
      const running = await container.run({ ...program, env, tty: false })
      const result = await answerProgram(running, { spoken, request, host, log })
      host.signal.throwIfAborted()
      return result
    } catch (error) {
      host.signal.throwIfAborted()
      log.failed(error)
      throw error
    }
  }
}

interface Surroundings {
  spoken: FrontendProtocol
  request: FrontendRequest
  host: FrontendHost
  log: FrontendLog
}

type Program = Awaited<ReturnType<DebugContainer['run']>>

/** As with BuildKit an error that the program has handed over counts most, then how the program has ended, then a result. */
async function answerProgram(program: Program, { spoken, request, host, log }: Surroundings): Promise<BuildResult> {
  let isDone = (): boolean => false
  // With an error that they have handed over Go's frontends panic, too: that is no news.
  const connection = programConnection(program.stream, (data) => isDone() || log.write(data))
  await using served = spoken.serve(connection.duplex, { build: host.build, session: host.session.id, inputs: request.inputs })
  isDone = () => served.returned() !== undefined
  const ending = await programEnding(program, connection, isDone)
  const returned = served.returned()
  if (returned !== undefined && 'message' in returned) throw new BuildError(returned.code, returned.message, returned)
  const fail = (what: string): Error => invalidArgument(`frontend ${request.options['source']}: ${what}`)
  if (ending !== 'cut' && ending.code !== 0) throw fail(`exit code: ${ending.code}`)
  if (returned !== undefined) return returned
  throw fail(ending === 'cut' ? 'frontend grpc server closed unexpectedly' : 'no result for incomplete build')
}
