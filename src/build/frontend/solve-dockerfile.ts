import { SOURCE_DATE_KEY } from '../source-date-key.ts'
import type { BuildResult, FrontendHost, FrontendRequest } from '../types.ts'
import { buildImage } from './build-image.ts'
import type { Converted } from './convert.ts'
import { convertDockerfile, createBuildLinter, lintReadPart } from './convert.ts'
import { loadDefinition, parseDefinition } from './definition.ts'
import { isReplaced } from '../frontend-image/find-image.ts'
import { checkSupported, decodeOptions } from './options.ts'
import type { FrontendOptions } from './options.ts'
import { wantedPlatforms } from './platforms.ts'
import { answerRequest } from './requests/answer-request.ts'
import { findScanner } from './scanner.ts'
import { forwardTo, isOwnLanguage, wantedSyntax } from './syntax.ts'
import type { Syntax } from './syntax.ts'
import { failOnFindings, warnOf } from './warnings.ts'

/**
 * The frontend `dockerfile.v0`: loads the Dockerfile and lets another frontend do the rest if the file asks for one. Else it gives for each wanted platform the
 * graph of its target stage and the image's config, or answers a question about the Dockerfile (`requestid`). Nothing is run: of all that happens outside only
 * what `host` offers is used. Throws BuildError with the place in the Dockerfile where there is one.
 *
 * The phases, one file or folder each:
 *
 * 1. `options`: what the client says.
 * 2. `definition`, `context/`: where Dockerfile and context come from; the Dockerfile is read and parsed.
 * 3. `convert`, for each platform: `global-arguments`, `find-stages` (FROM lines), `dependencies` (which stage reads from which), `resolve-bases` (images and
 *    named contexts of the stages that the target needs; their ONBUILD triggers), `dispatch` with `instructions/`: one after the other they change their
 *    `StageState`: file system, config, history, variables.
 * 4. `build-image`: file systems in the making (`tree`) become vertices. Only now is it known which paths of the context are needed.
 */
export async function solveDockerfile(request: FrontendRequest, host: FrontendHost): Promise<BuildResult> {
  const options = decodeOptions(request.options, host.hostPlatform)
  const { inputs } = request
  const source = await loadDefinition(options, inputs, host)
  const syntax = wantedSyntax(options, source.file)
  if (syntax !== undefined && isForeign(syntax, options, host)) return await forwardTo(syntax, request, host)
  checkSupported(options)
  if (options.request !== undefined) return await answerRequest(options.request, { options, inputs, host, source })
  const definition = parseDefinition(source, (part) => warnOf(lintReadPart(part, source, options).findings, source, host))
  // What is found in the text is told once, however many platforms it is built for.
  const linter = createBuildLinter(definition, options)
  try {
    const converted = await Promise.all(
      wantedPlatforms(options.platforms, host.hostPlatform).map((platforms, index) => {
        const own = index === 0 ? linter : createBuildLinter(definition, options)
        return convertDockerfile({ definition, options, inputs, host, platforms, linter: own }, false)
      }),
    )
    failOnFindings(linter, definition)
    const scanner = await findScanner(options, host)
    return {
      images: converted.map((one) => buildImage(one, scanner)),
      multiPlatform: options.multiPlatform,
      metadata: metadataOf(converted),
    }
  } finally {
    warnOf(linter.findings, definition, host)
  }
}

function isForeign({ reference }: Syntax, options: FrontendOptions, host: FrontendHost): boolean {
  return !isOwnLanguage(reference) || isReplaced(reference, options, host)
}

/** What exporters are to know: the time that the client, or a global ARG of the Dockerfile, has set. */
function metadataOf([first]: readonly Converted[]): BuildResult['metadata'] {
  const { created } = first?.conversion ?? {}
  return created === undefined ? {} : { [SOURCE_DATE_KEY]: Buffer.from(String(created)) }
}
