/** Version of the engine; the CLI has its own constant, a test of the release checks that they agree. */
export const ENGINE_VERSION = '0.1.0'

/** Written into the bundle by `tools/build.ts`. */
declare const GANTRY_BUILD: BuildFacts | undefined

export interface BuildFacts {
  /** Short hash of the commit, with `-dirty` behind it when files differed from it. */
  gitCommit: string
  /** RFC 3339. */
  time: string
}

/** Where this program comes from; run from source it was never built. */
export const BUILD: BuildFacts =
  typeof GANTRY_BUILD === 'undefined' ? { gitCommit: 'unknown', time: 'unknown (run from source)' } : GANTRY_BUILD
