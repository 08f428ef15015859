/**
 * The daemon: the composition root. It alone constructs services, reads configuration and environment, and owns the process's signals.
 *
 * Life: flags and daemon.json (`config/`) → pid files → `startEngine` makes the services and restores what the last daemon left → listeners →
 * one line on stdout → signals. SIGTERM and SIGINT end it in reverse order, SIGHUP reloads; SIGKILL harms nothing. Containers keep running
 * either way, and the next daemon adopts them.
 *
 * Everything on disk is drawn in `state-directory.ts`.
 *
 * ```ts
 * process.exitCode = await runDaemon('daemon', ['--host', 'unix:///run/gantry.sock', '--data-root', '/var/lib/gantry'])
 * ```
 */
export { runDaemon } from './run-daemon.ts'
export { startEngine, type Engine, type EngineOptions } from './engine.ts'
export { stateDirectory, type StateDirectory } from './state-directory.ts'
