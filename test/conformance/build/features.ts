import type { Example } from '../../integration/build-examples/example.ts'

/** What older builders do not know. */
export type Feature =
  | 'heredocs'
  | 'RUN --mount'
  | 'RUN --mount with variables'
  | 'RUN --mount=type=tmpfs,size='
  | 'RUN --mount=type=secret,env='
  | 'RUN --mount=type=cache,sharing='
  | 'RUN --network'
  | 'RUN --security'
  | 'RUN --device'
  | '--chmod'
  | '--chmod with letters'
  | '--link'
  | '--parents'
  | '--exclude'
  | '--unpack'
  | 'HEALTHCHECK --start-interval'
  | '${name-word} without colon'
  | '${name:?word}'
  | '${name#pattern} and its relatives'
  | 'syntax directive'
  | 'lint errors'
  | 'platform arguments'
  | 'build contexts by name'
  | 'secrets'

/** How to see that an example uses it. */
const FEATURES: Readonly<Record<Feature, RegExp>> = {
  heredocs: /^(?:ONBUILD )?(?:RUN|COPY|ADD) [^"\n]*<</m,
  'RUN --mount': /--mount=/,
  'RUN --mount with variables': /--mount=\S*\$/,
  'RUN --mount=type=tmpfs,size=': /type=tmpfs\S*size=/,
  'RUN --mount=type=secret,env=': /type=secret\S*env=/,
  'RUN --mount=type=cache,sharing=': /type=cache\S*sharing=/,
  'RUN --network': /--network=/,
  'RUN --security': /--security=/,
  'RUN --device': /--device=/,
  '--chmod': /--chmod=/,
  '--chmod with letters': /--chmod=\S*[a-z]/,
  '--link': /--link/,
  '--parents': /--parents/,
  '--exclude': /--exclude=/,
  '--unpack': /--unpack/,
  'HEALTHCHECK --start-interval': /--start-interval=/,
  '${name-word} without colon': /\$\{\w+[-+]/,
  '${name:?word}': /\$\{\w+:\?/,
  '${name#pattern} and its relatives': /\$\{\w+[#%/]/,
  'syntax directive': /^# syntax=/,
  'lint errors': /^# check=error/,
  'platform arguments': /TARGETPLATFORM|BUILDPLATFORM/,
  'build contexts by name': /--build-context/,
  secrets: /--secret/,
}

/** Those that `example` uses. */
export function featuresOf(example: Example): Feature[] {
  const text = [example.dockerfile, ...example.args].join('\n')
  return (Object.keys(FEATURES) as Feature[]).filter((feature) => FEATURES[feature].test(text))
}
