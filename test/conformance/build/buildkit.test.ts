/** The BuildKit (0.8) inside of Debian's docker.io builds what we build. */
import { spawnSync } from 'node:child_process'
import { compareWith, type Image } from './compare-builders.ts'
import { buildkitBuilder } from './peer-builders.ts'

const missing = spawnSync('dockerd', ['--version']).status === 0 ? undefined : 'dockerd is not installed'

/** Its steps leave mount points in images whose base lacks them. */
function withoutMountPoints(image: Image): Image {
  const files = Object.entries(image.files).filter(
    ([path, facts]) => !(['/dev', '/proc', '/sys'].includes(path) && facts === 'dir 0755 0:0'),
  )
  return { ...image, files: Object.fromEntries(files) }
}

compareWith({
  name: "docker.io's BuildKit",
  start: buildkitBuilder,
  missing,
  plain: withoutMountPoints,
  lacks: [
    'heredocs',
    'RUN --mount with variables',
    'RUN --mount=type=tmpfs,size=',
    'RUN --mount=type=secret,env=',
    'RUN --network',
    'RUN --security',
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
  differences: {},
})
