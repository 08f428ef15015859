/** Metadata of a build's result: the time that everything is said to be made at, as the frontend knows it, in seconds. Source: moby/buildkit exporter/exptypes. */
export const SOURCE_DATE_KEY = 'source.date.epoch'
