import type { BuildResult, FrontendHost, FrontendRequest } from '../types.ts'
import { buildImage } from './build-image.ts'
import { convertDockerfile, createBuildLinter } from './convert.ts'
import { loadDefinition } from './definition.ts'
import { decodeOptions } from './options.ts'
import { wantedPlatforms } from './platforms.ts'
import { answerRequest } from './requests/answer-request.ts'
import { failOnFindings, warnOf } from './warnings.ts'

/**
 * The frontend `dockerfile.v0`: loads the Dockerfile, and gives for each wanted platform the graph of its target stage and the image's config, or answers a
 * question about it (`requestid`). Nothing is run: of all that happens outside only what `host` offers is used. Throws BuildError with the place in the
 * Dockerfile where there is one.
 */
export async function solveDockerfile(request: FrontendRequest, host: FrontendHost): Promise<BuildResult> {
  const options = decodeOptions(request.options, host.hostPlatform)
  const { inputs } = request
  const definition = await loadDefinition(options, inputs, host)
  if (options.request !== undefined) return await answerRequest(options.request, { definition, options, inputs, host })
  const platforms = wantedPlatforms(options.platforms, host.hostPlatform)
  // What is found in the text is told once, however many platforms it is built for.
  const linter = createBuildLinter(definition, options)
  const converted = await Promise.all(
    platforms.map((platform, index) => {
      const own = index === 0 ? linter : createBuildLinter(definition, options)
      return convertDockerfile({ definition, options, inputs, host, platforms: platform, linter: own }, false)
    }),
  )
  warnOf(linter.findings, definition, host)
  failOnFindings(linter, definition)
  return { images: converted.map(buildImage), multiPlatform: options.multiPlatform, metadata: {} }
}
