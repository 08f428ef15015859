/** Debian's buildah (1.28) builds what we build. */
import { spawnSync } from 'node:child_process'
import { compareWith, type Config } from './compare-builders.ts'
import { buildahBuilder } from './peer-builders.ts'

const missing = spawnSync('buildah', ['--version']).status === 0 ? undefined : 'buildah is not installed'

const STUBS = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf']

/** Without its label and the name of the build container. */
function plainConfig({ Hostname: _name, Labels, ...config }: Config & { Hostname?: string; Labels?: Record<string, string> }): Config {
  const labels = Object.entries(Labels ?? {}).filter(([name]) => name !== 'io.buildah.version')
  return labels.length === 0 ? config : { ...config, Labels: Object.fromEntries(labels) }
}

const SHELL = 'SHELL does not count for CMD and ENTRYPOINT'
const EXPOSE = 'ports are taken as they are written'
const VOLUME = 'it drops what is written below a volume'
const ONBUILD = 'it has a line of history for ONBUILD, and for what is triggered'

compareWith({
  name: 'buildah',
  start: buildahBuilder,
  missing,
  plainConfig,
  // Mount points.
  leaves: (path, facts) => facts === 'dir 0755 0:0' || STUBS.includes(path),
  lacks: [
    'heredocs',
    'RUN --mount=type=tmpfs,size=',
    'RUN --mount=type=secret,env=',
    'RUN --mount=type=cache,sharing=',
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
    '${name:?word}',
    '${name#pattern} and its relatives',
    'lint errors',
  ],
  differences: {
    'from-stage-name-upper': 'it finds stages in FROM as they are written only',
    'error-target-by-number': 'it takes numbers as targets',
    'arg-is-inherited-by-child-stage': 'its arguments end with the stage',
    'directive-escape': 'values of ENV know the backslash only',
    'run-shell-changed': SHELL,
    'shell-windows-like': SHELL,
    'mount-bind-writes-are-dropped': 'it keeps what is written into a context that is mounted',
    'mount-several': 'mounts beside each other hide each other',
    'mount-relative-target': 'it refuses a relative target',
    'copy-modes': 'it drops the set-user-id bit of what is copied',
    'copy-several-without-slash': 'it makes a directory, BuildKit lets the last one win',
    'add-tar-chown': 'it leaves the owners of an archive alone',
    'volume-later-writes': VOLUME,
    'volume-of-base-is-kept': VOLUME,
    'label-given-by-client': 'it has a line of history for labels of the client',
    'error-workdir-over-file': 'it leaves the file where it is, and fails later',
    'mount-ssh-missing': 'the variable is set only where there is an agent',
    expose: EXPOSE,
    'expose-host-part': EXPOSE,
    'error-expose': EXPOSE,
    'error-healthcheck': 'it takes any interval',
    'onbuild-config': ONBUILD,
    'onbuild-in-child': ONBUILD,
    'onbuild-not-in-grandchild': ONBUILD,
    'onbuild-arg': ONBUILD,
    'onbuild-copy-from': 'a trigger cannot copy from a stage',
  },
})
