/** The BuildKit (0.8) inside of Debian's docker.io builds what we build. */
import { spawnSync } from 'node:child_process'
import { compareWith } from './compare-builders.ts'
import { buildkitBuilder } from './peer-builders.ts'

const missing = spawnSync('dockerd', ['--version']).status === 0 ? undefined : 'dockerd is not installed'

compareWith({
  name: "docker.io's BuildKit",
  start: buildkitBuilder,
  missing,
  // Mount points that the base lacks; later versions take them away.
  leaves: (_path, facts) => facts === 'dir 0755 0:0',
  lacks: [
    'heredocs',
    'RUN --mount with variables',
    'RUN --mount=type=tmpfs,size=',
    'RUN --mount=type=secret,env=',
    'RUN --network',
    'RUN --security',
    'RUN --device',
    '--chmod with letters',
    '--link',
    '--parents',
    '--exclude',
    '--unpack',
    'HEALTHCHECK --start-interval',
    '${name-word} without colon',
    '${name#pattern} and its relatives',
    'syntax directive',
    'lint errors',
    'build contexts by name',
  ],
  differences: {
    'scratch-empty-with-config': 'dockerd 20.10 cannot save an image without layers',
    'from-stage-name-upper': 'it finds stages in FROM by lower case only',
    'add-tar-chown': 'it leaves the owners of an archive alone; later versions change them',
    'error-copy-chown-unknown': 'it takes an unknown user for root',
    'onbuild-copy-from': 'it knows COPY --from in triggers since a later version',
  },
})
