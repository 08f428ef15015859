/** Entry file of worker threads when running from source; a bundle calls `runUnpackWorker` from its own entry. */
import { runUnpackWorker } from './unpack/worker.ts'

runUnpackWorker()
