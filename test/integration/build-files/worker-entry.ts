/** Worker threads with the tasks of builds, as the program's entry makes them. */
import { loadFileTask } from '../../../src/build/files/file-tasks.ts'
import { runUnpackWorker } from '#snapshots'

runUnpackWorker(loadFileTask)
