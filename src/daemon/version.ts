/** Version of the engine; the CLI has its own constant, a test of the release checks that they agree. */
export const ENGINE_VERSION = '0.1.0'
