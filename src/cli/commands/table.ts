/**
 * All commands: their names, where they stand in help, and the file that is loaded when one is called. A command that can be called in two
 * ways (`run` and `container run`) has two rows and one file.
 */
import type { CommandNode } from '../command-tree.ts'

export const ROOT_SHORT = 'A self-sufficient runtime for containers'

const CONTAINER: readonly CommandNode[] = [
  {
    name: 'attach',
    short: 'Attach local standard input, output, and error streams to a running container',
    load: () => import('./container/attach.ts'),
  },
  { name: 'commit', short: "Create a new image from a container's changes", load: () => import('./container/commit.ts') },
  { name: 'cp', short: 'Copy files/folders between a container and the local filesystem', load: () => import('./container/cp.ts') },
  { name: 'create', short: 'Create a new container', load: () => import('./container/create.ts') },
  { name: 'diff', short: "Inspect changes to files or directories on a container's filesystem", load: () => import('./container/diff.ts') },
  { name: 'exec', short: 'Execute a command in a running container', load: () => import('./container/exec.ts') },
  { name: 'export', short: "Export a container's filesystem as a tar archive", load: () => import('./container/export.ts') },
  { name: 'inspect', short: 'Display detailed information on one or more containers', load: () => import('./container/inspect.ts') },
  { name: 'kill', short: 'Kill one or more running containers', load: () => import('./container/kill.ts') },
  { name: 'logs', short: 'Fetch the logs of a container', load: () => import('./container/logs.ts') },
  { name: 'ls', short: 'List containers', aliases: ['ps', 'list'], load: () => import('./container/ls.ts') },
  { name: 'pause', short: 'Pause all processes within one or more containers', load: () => import('./container/pause.ts') },
  { name: 'port', short: 'List port mappings or a specific mapping for the container', load: () => import('./container/port.ts') },
  { name: 'prune', short: 'Remove all stopped containers', load: () => import('./container/prune.ts') },
  { name: 'rename', short: 'Rename a container', load: () => import('./container/rename.ts') },
  { name: 'restart', short: 'Restart one or more containers', load: () => import('./container/restart.ts') },
  { name: 'rm', short: 'Remove one or more containers', aliases: ['remove'], load: () => import('./container/rm.ts') },
  { name: 'run', short: 'Create and run a new container from an image', load: () => import('./container/run.ts') },
  { name: 'start', short: 'Start one or more stopped containers', load: () => import('./container/start.ts') },
  {
    name: 'stats',
    short: 'Display a live stream of container(s) resource usage statistics',
    load: () => import('./container/stats.ts'),
  },
  { name: 'stop', short: 'Stop one or more running containers', load: () => import('./container/stop.ts') },
  { name: 'top', short: 'Display the running processes of a container', load: () => import('./container/top.ts') },
  { name: 'unpause', short: 'Unpause all processes within one or more containers', load: () => import('./container/unpause.ts') },
  { name: 'update', short: 'Update configuration of one or more containers', load: () => import('./container/update.ts') },
  {
    name: 'wait',
    short: 'Block until one or more containers stop, then print their exit codes',
    load: () => import('./container/wait.ts'),
  },
]

const IMAGE: readonly CommandNode[] = [
  { name: 'history', short: 'Show the history of an image', load: () => import('./image/history.ts') },
  { name: 'import', short: 'Import the contents from a tarball to create a filesystem image', load: () => import('./image/import.ts') },
  { name: 'inspect', short: 'Display detailed information on one or more images', load: () => import('./image/inspect.ts') },
  { name: 'load', short: 'Load an image from a tar archive or STDIN', load: () => import('./image/load.ts') },
  { name: 'ls', short: 'List images', aliases: ['list'], load: () => import('./image/ls.ts') },
  { name: 'prune', short: 'Remove unused images', load: () => import('./image/prune.ts') },
  { name: 'pull', short: 'Download an image from a registry', load: () => import('./image/pull.ts') },
  { name: 'push', short: 'Upload an image to a registry', load: () => import('./image/push.ts') },
  { name: 'rm', short: 'Remove one or more images', aliases: ['remove'], load: () => import('./image/rm.ts') },
  {
    name: 'save',
    short: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
    load: () => import('./image/save.ts'),
  },
  { name: 'tag', short: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE', load: () => import('./image/tag.ts') },
]

const VOLUME: readonly CommandNode[] = [
  { name: 'create', short: 'Create a volume', load: () => import('./volume/create.ts') },
  { name: 'inspect', short: 'Display detailed information on one or more volumes', load: () => import('./volume/inspect.ts') },
  { name: 'ls', short: 'List volumes', aliases: ['list'], load: () => import('./volume/ls.ts') },
  { name: 'prune', short: 'Remove unused local volumes', load: () => import('./volume/prune.ts') },
  { name: 'rm', short: 'Remove one or more volumes', aliases: ['remove'], load: () => import('./volume/rm.ts') },
]

const NETWORK: readonly CommandNode[] = [
  { name: 'connect', short: 'Connect a container to a network', load: () => import('./network/connect.ts') },
  { name: 'create', short: 'Create a network', load: () => import('./network/create.ts') },
  { name: 'disconnect', short: 'Disconnect a container from a network', load: () => import('./network/disconnect.ts') },
  { name: 'inspect', short: 'Display detailed information on one or more networks', load: () => import('./network/inspect.ts') },
  { name: 'ls', short: 'List networks', aliases: ['list'], load: () => import('./network/ls.ts') },
  { name: 'prune', short: 'Remove all unused networks', load: () => import('./network/prune.ts') },
  { name: 'rm', short: 'Remove one or more networks', aliases: ['remove'], load: () => import('./network/rm.ts') },
]

const SYSTEM: readonly CommandNode[] = [
  { name: 'df', short: 'Show docker disk usage', load: () => import('./system/df.ts') },
  {
    name: 'dial-stdio',
    short: 'Proxy the stdio stream to the daemon connection. Should not be invoked manually.',
    hidden: true,
    load: () => import('./system/dial-stdio.ts'),
  },
  { name: 'events', short: 'Get real time events from the server', load: () => import('./system/events.ts') },
  { name: 'fsck', short: "Check the engine's store, and repair it", ours: true, load: () => import('./system/fsck.ts') },
  { name: 'info', short: 'Display system-wide information', load: () => import('./system/info.ts') },
  { name: 'prune', short: 'Remove unused data', load: () => import('./system/prune.ts') },
]

const MANIFEST: readonly CommandNode[] = [
  { name: 'annotate', short: 'Add additional information to a local image manifest', load: () => import('./manifest/annotate.ts') },
  {
    name: 'create',
    short: 'Create a local manifest list for annotating and pushing to a registry',
    load: () => import('./manifest/create.ts'),
  },
  { name: 'inspect', short: 'Display an image manifest, or manifest list', load: () => import('./manifest/inspect.ts') },
  { name: 'push', short: 'Push a manifest list to a repository', load: () => import('./manifest/push.ts') },
  { name: 'rm', short: 'Delete one or more manifest lists from local storage', load: () => import('./manifest/rm.ts') },
]

const MANIFEST_LONG = `The **{program} manifest** command has subcommands for managing image manifests and
manifest lists. A manifest list allows you to use one name to refer to the same image
built for multiple architectures.

To see help for a subcommand, use:

    {program} manifest CMD --help

For full details on using {program} manifest lists, see the registry v2 specification.
`

const CONTEXT: readonly CommandNode[] = [
  { name: 'create', short: 'Create a context', load: () => import('./context/create.ts') },
  {
    name: 'export',
    short: 'Export a context to a tar archive FILE or a tar stream on STDOUT.',
    load: () => import('./context/export.ts'),
  },
  { name: 'import', short: 'Import a context from a tar or zip file', load: () => import('./context/import.ts') },
  { name: 'inspect', short: 'Display detailed information on one or more contexts', load: () => import('./context/inspect.ts') },
  { name: 'ls', short: 'List contexts', aliases: ['list'], load: () => import('./context/ls.ts') },
  { name: 'rm', short: 'Remove one or more contexts', aliases: ['remove'], load: () => import('./context/rm.ts') },
  { name: 'show', short: 'Print the name of the current context', load: () => import('./context/show.ts') },
  { name: 'update', short: 'Update a context', load: () => import('./context/update.ts') },
  { name: 'use', short: 'Set the current docker context', load: () => import('./context/use.ts') },
]

const BUILDER: readonly CommandNode[] = [
  { name: 'build', short: 'Build an image from a Dockerfile', load: () => import('./builder/build.ts') },
  { name: 'du', short: 'Disk usage of the build cache', ours: true, load: () => import('./builder/du.ts') },
  { name: 'prune', short: 'Remove build cache', load: () => import('./builder/prune.ts') },
]

/** Containers' verbs that stand at the top under their own name: all but these. */
const CONTAINER_ONLY = ['inspect', 'ls', 'prune']
/** Images' verbs at the top. */
const IMAGE_AT_TOP = ['history', 'import', 'load', 'pull', 'push', 'save', 'tag']

function pick(nodes: readonly CommandNode[], name: string, as: string = name): CommandNode {
  const node = nodes.find((candidate) => candidate.name === name)
  if (node === undefined) throw new Error(`no command ${name}`)
  return { name: as, short: node.short, ...(node.load === undefined ? {} : { load: node.load }) }
}

export const ROOT_COMMANDS: readonly CommandNode[] = [
  { name: 'builder', short: 'Manage builds', children: BUILDER },
  { name: 'container', short: 'Manage containers', children: CONTAINER },
  { name: 'context', short: 'Manage contexts', children: CONTEXT },
  { name: 'image', short: 'Manage images', children: [pick(BUILDER, 'build'), ...IMAGE] },
  {
    name: 'manifest',
    short: 'Manage Docker image manifests and manifest lists',
    long: MANIFEST_LONG.trimEnd(),
    experimental: true,
    children: MANIFEST,
  },
  { name: 'network', short: 'Manage networks', children: NETWORK },
  { name: 'system', short: 'Manage Docker', children: SYSTEM },
  { name: 'volume', short: 'Manage volumes', children: VOLUME },
  ...CONTAINER.filter((node) => !CONTAINER_ONLY.includes(node.name)).map((node) => pick(CONTAINER, node.name)),
  pick(BUILDER, 'build'),
  pick(CONTAINER, 'ls', 'ps'),
  ...IMAGE_AT_TOP.map((name) => pick(IMAGE, name)),
  pick(IMAGE, 'ls', 'images'),
  pick(IMAGE, 'rm', 'rmi'),
  pick(SYSTEM, 'events'),
  pick(SYSTEM, 'info'),
  { name: 'inspect', short: 'Return low-level information on Docker objects', load: () => import('./inspect.ts') },
  { name: 'login', short: 'Authenticate to a registry', load: () => import('./registry/login.ts') },
  { name: 'logout', short: 'Log out from a registry', load: () => import('./registry/logout.ts') },
  { name: 'search', short: 'Search Docker Hub for images', load: () => import('./registry/search.ts') },
  { name: 'version', short: 'Show the Docker version information', load: () => import('./version.ts') },
]

const COMMON = ['run', 'exec', 'ps', 'build', 'pull', 'push', 'images', 'login', 'logout', 'search', 'version', 'info']
const MANAGEMENT = ['builder', 'container', 'context', 'image', 'manifest', 'network', 'system', 'volume']

/** What else the program is, besides a command line (`src/main.ts`): shown on the main help page. */
export const SERVERS: readonly { name: string; short: string }[] = [
  { name: 'daemon', short: 'Start the engine' },
  { name: 'registry', short: 'Serve a registry, or collect its garbage' },
]

/** The sections of the main help page and the commands in each, in their order. */
export const ROOT_SECTIONS: readonly { title: string; names: readonly string[] }[] = [
  { title: 'Common Commands', names: COMMON },
  { title: 'Management Commands', names: MANAGEMENT },
  {
    title: 'Commands',
    names: ROOT_COMMANDS.map((node) => node.name)
      .filter((name) => !COMMON.includes(name) && !MANAGEMENT.includes(name))
      .sort(),
  },
]
