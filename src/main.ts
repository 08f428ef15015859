/** The one entry: `gantry daemon …`, `dockerd …`, `gantry registry …`, a worker thread, or the command line. What is not asked for is not loaded. */
import { isMainThread } from 'node:worker_threads'

async function main(): Promise<void> {
  // Meant for this program alone, not for the plugins and helpers it starts.
  delete process.env['NODE_COMPILE_CACHE']
  const [, , command, ...args] = process.argv
  if (!isMainThread) {
    const { runUnpackWorker } = await import('#snapshots')
    // Not by the module's door: of all that builds are made of, a worker wants this alone.
    runUnpackWorker(async (task) => (await import('./build/files/file-tasks.ts')).loadFileTask(task))
  } else if (command === 'daemon' || command === 'dockerd') {
    const { runDaemon } = await import('#daemon')
    markAtOnce()
    process.exitCode = await runDaemon(command, args)
  } else if (command === 'registry') {
    const { runRegistry } = await import('#registry')
    markAtOnce()
    process.exitCode = await runRegistry(args, process.env)
  } else {
    const { runCli } = await import('#cli')
    process.exitCode = await runCli(process.argv)
  }
}

/**
 * Image data streams through memory outside V8's heap. Each dozen megabytes of it make V8 mark the heap step by step, which took a third of the time of `load`;
 * at once it is done seldom and takes 10 ms. Said when the start is over: on node's command line it would make node's own code cache void.
 */
function markAtOnce(): void {
  setTimeout(() => process.getBuiltinModule('node:v8').setFlagsFromString('--no-incremental-marking'), 1000).unref()
}

void main()
