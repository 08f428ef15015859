/** The classic builder of Debian's docker.io builds what we build. */
import { spawnSync } from 'node:child_process'
import { compareWith } from './compare-builders.ts'
import { classicBuilder } from './peer-builders.ts'

const missing = spawnSync('dockerd', ['--version']).status === 0 ? undefined : 'dockerd is not installed'

compareWith({
  name: "docker.io's classic builder",
  start: classicBuilder,
  missing,
  lacks: [
    'heredocs',
    'RUN --mount',
    'RUN --network',
    'RUN --security',
    '--chmod',
    '--link',
    '--parents',
    '--exclude',
    '--unpack',
    'HEALTHCHECK --start-interval',
    '${name-word} without colon',
    '${name#pattern} and its relatives',
    'lint errors',
    'platform arguments',
    'build contexts by name',
    'secrets',
  ],
  differences: {},
})
