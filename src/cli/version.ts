/** Release of this CLI; the daemon of the same build reports the same. */
export const CLI_VERSION = '0.1.0'

/** Newest Engine API version the CLI speaks. Source: Engine API changelog; see `#api` for what the daemon serves. */
export const MAX_API_VERSION = '1.55'
