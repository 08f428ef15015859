import { invalidArgument } from '#errors'
import type { Frontend } from '../build-deps.ts'
import { isReplaced } from '../frontend-image/find-image.ts'
import { decodeOptions } from './options.ts'
import { solveDockerfile } from './solve-dockerfile.ts'
import { isOwnLanguage } from './syntax.ts'

/**
 * The frontend `gateway.v0`: the image that `source` names, as buildx asks for it with `--build-arg BUILDKIT_SYNTAX`. BuildKit's own is built in, unless the client
 * has something else for its name; `runImage` runs others.
 */
export function createGateway(runImage: Frontend): Frontend {
  return async (request, host) => {
    const { options } = request
    const { source = '' } = options
    if ('gateway-devel' in options) throw invalidArgument('development gateway is no longer supported')
    if (source === '') throw invalidArgument('no source specified for gateway')
    const isBuiltIn = isOwnLanguage(source) && !isReplaced(source, decodeOptions(options, host.hostPlatform), host)
    return await (isBuiltIn ? solveDockerfile : runImage)(request, host)
  }
}
