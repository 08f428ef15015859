import { invalidArgument } from '#errors'
import type { BuildResult, FrontendHost, FrontendRequest } from '../types.ts'
import { solveDockerfile } from './solve-dockerfile.ts'
import { checkLanguage } from './syntax.ts'

/**
 * The frontend `gateway.v0`: the image that `source` names, as buildx asks for it with `--build-arg BUILDKIT_SYNTAX`. BuildKit's own is built in; throws
 * NOT_IMPLEMENTED for any other.
 */
export async function solveGateway(request: FrontendRequest, host: FrontendHost): Promise<BuildResult> {
  const { source = '' } = request.options
  if (source === '') throw invalidArgument('no source specified for gateway')
  checkLanguage(source)
  return await solveDockerfile(request, host)
}
