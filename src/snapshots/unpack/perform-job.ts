import type { Files } from '#kernel'
import { emptyDirectory } from '../tree/remove-tree.ts'
import type { Job, JobOptions, JobResult, UnpackResult } from './job.ts'
import { unpackLayer } from './unpack-layer.ts'

/** Does a job in this thread. Errors: those of `extractTree` for a layer, system errors for the others. */
export async function performJob<J extends Job>(files: Files, job: J, options: JobOptions): Promise<JobResult<J>> {
  // The compiler cannot follow that the kind of job decides the kind of result.
  return (await perform(files, job, options)) as JobResult<J>
}

async function perform(files: Files, job: Job, options: JobOptions): Promise<UnpackResult | undefined> {
  if (job.kind === 'unpack') return await unpackLayer(files, job, options)
  if (job.kind === 'sync') files.syncfs(job.path)
  else emptyDirectory(job.directory)
  return undefined
}
