/** The classic builder of Debian's docker.io builds what we build. */
import { spawnSync } from 'node:child_process'
import { compareWith } from './compare-builders.ts'
import { classicBuilder } from './peer-builders.ts'

const missing = spawnSync('dockerd', ['--version']).status === 0 ? undefined : 'dockerd is not installed'

const VOLUME = 'it drops what is written below a volume'
const ONBUILD = 'it has a line of history for ONBUILD, and for what is triggered'

compareWith({
  name: "docker.io's classic builder",
  start: classicBuilder,
  missing,
  lacks: [
    'heredocs',
    'RUN --mount',
    'RUN --network',
    'RUN --security',
    'RUN --device',
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
  differences: {
    'scratch-empty-with-config': 'it cannot save an image without layers',
    'unused-stage-is-skipped': 'it builds all stages up to the target',
    'arg-is-inherited-by-child-stage': 'its arguments end with the stage',
    'copy-wildcard-directories': 'a pattern with a slash at its end matches nothing',
    'copy-modes': 'it drops the set-user-id bit of what is copied',
    'copy-user-does-not-count': 'directories of WORKDIR are always root’s',
    'copy-several-without-slash': 'it refuses what BuildKit lets the last one win',
    'add-tar-chown': 'it leaves the owners of an archive alone',
    'volume-later-writes': VOLUME,
    'volume-of-base-is-kept': VOLUME,
    'label-given-by-client': 'it has a line of history for labels of the client',
    'ignore-own-file': 'it knows no ignore file of a Dockerfile’s own',
    'onbuild-config': ONBUILD,
    'onbuild-in-child': ONBUILD,
    'onbuild-not-in-grandchild': ONBUILD,
    'onbuild-arg': ONBUILD,
    'onbuild-copy-from': ONBUILD,
  },
})
