/** Run as a worker thread by `mounts.test.ts`: makes its own `Files` and exits 7 when both its result and its errno are right. */
import { closeSync, constants } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { createFiles } from '#kernel'

const files = createFiles()
using root = files.openRoot(workerData as string)
closeSync(files.mkdirInRoot(root.fd, 'from/worker', 0o755))
try {
  closeSync(files.openInRoot(root.fd, 'none', constants.O_RDONLY))
} catch (error) {
  process.exitCode = (error as { code?: string }).code === 'ENOENT' ? 7 : 1
}
