/** Debian's buildah (1.28) builds what we build. */
import { spawnSync } from 'node:child_process'
import { compareWith } from './compare-builders.ts'
import { buildahBuilder } from './peer-builders.ts'

const missing = spawnSync('buildah', ['--version']).status === 0 ? undefined : 'buildah is not installed'

compareWith({
  name: 'buildah',
  start: buildahBuilder,
  missing,
  lacks: [
    'heredocs',
    'RUN --mount=type=tmpfs,size=',
    'RUN --mount=type=secret,env=',
    'RUN --mount=type=cache,sharing=',
    'RUN --network',
    'RUN --security',
    '--chmod with letters',
    '--link',
    '--parents',
    '--exclude',
    '--unpack',
    'HEALTHCHECK --start-interval',
    '${name-word} without colon',
    '${name:?word}',
    '${name#pattern} and its relatives',
    'lint errors',
  ],
  differences: {},
})
