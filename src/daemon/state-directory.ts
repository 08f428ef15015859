import { join } from 'node:path'

/**
 * Everything the daemon keeps on disk, and the only place that builds these paths.
 *
 * ```
 * <data root>, /var/lib/gantry           survives everything
 * ├── gantry.db                          SQLite: containers, images, volumes, networks, settings
 * ├── content/
 * │   ├── blobs/sha256/<hex>             blobs by digest: manifests, configs, compressed layers
 * │   └── ingest/                        blobs on their way in
 * ├── layers/<n>/{diff,recipe}           unpacked image layers; n is short because overlay options are one page
 * ├── snapshots/<container id>/{upper,work}
 * ├── containers/<container id>/         log; hosts, hostname, resolv.conf, written at each start; bundle/config.json for hooks
 * ├── volumes/<name>/_data
 * ├── build/{cache-mounts,contexts,history,repositories,stubs,uploads}/   drawn in src/build/create-builder.ts
 * └── tmp/                               emptied at start
 *
 * <exec root>, /run/gantry               lives as long as the machine is up
 * ├── daemon.pid                         one daemon per exec root
 * ├── launcher.sock                      the launcher outlives the daemon
 * ├── shm/<container id>                 /dev/shm of containers with --ipc shareable, a tmpfs
 * ├── steps/<step id>/                   RUN steps that run: socket of the monitor, secrets
 * └── tasks/<container or exec id>/      socket of the monitor, exit record
 * ```
 */
export interface StateDirectory {
  readonly dataRoot: string
  readonly execRoot: string
  readonly database: string
  readonly content: string
  readonly layers: string
  readonly snapshots: string
  readonly containers: string
  readonly volumes: string
  readonly build: string
  readonly temporary: string
  readonly daemonPid: string
  readonly launcherSocket: string
  readonly tasksDirectory: string
  readonly steps: string
  readonly containerDirectory: (id: string) => string
  readonly taskDirectory: (id: string) => string
  readonly sharedMemory: (id: string) => string
}

/** Both roots are absolute. */
export function stateDirectory(dataRoot: string, execRoot: string): StateDirectory {
  const containers = join(dataRoot, 'containers')
  const tasks = join(execRoot, 'tasks')
  return {
    dataRoot,
    execRoot,
    database: join(dataRoot, 'gantry.db'),
    content: join(dataRoot, 'content'),
    layers: join(dataRoot, 'layers'),
    snapshots: join(dataRoot, 'snapshots'),
    containers,
    volumes: join(dataRoot, 'volumes'),
    build: join(dataRoot, 'build'),
    temporary: join(dataRoot, 'tmp'),
    daemonPid: join(execRoot, 'daemon.pid'),
    launcherSocket: join(execRoot, 'launcher.sock'),
    tasksDirectory: tasks,
    steps: join(execRoot, 'steps'),
    containerDirectory: (id) => join(containers, id),
    taskDirectory: (id) => join(tasks, id),
    sharedMemory: (id) => join(execRoot, 'shm', id),
  }
}
