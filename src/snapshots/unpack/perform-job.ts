import { internal } from '#errors'
import type { Files } from '#kernel'
import { measureNow } from '../measure-tree.ts'
import { makeRecipe } from '../recipe/make-recipe.ts'
import { emptyDirectory } from '../tree/remove-tree.ts'
import { verifyLayer } from '../verify/verify-layer.ts'
import { hashFile } from './hash-file.ts'
import type { AnyResult, Job, JobOptions, JobResult, ShareTask, TaskLoader } from './job.ts'
import { packLayer } from './pack-layer.ts'
import { unpackLayer } from './unpack-layer.ts'

/** Does a job in this thread. Errors: those of `extractTree` for a layer, system errors for the others. */
export async function performJob<J extends Job>(deps: JobDeps, job: J, options: JobOptions): Promise<JobResult<J>> {
  // The compiler cannot follow that the kind of job decides the kind of result.
  return (await perform(deps, job, options)) as JobResult<J>
}

export interface JobDeps {
  files: Files
  /** Absent: there are no tasks of other modules. */
  loadTask?: TaskLoader
  /** Absent: there are no other workers. */
  share?: ShareTask
}

async function perform({ files, loadTask, share }: JobDeps, job: Job, options: JobOptions): Promise<AnyResult> {
  switch (job.kind) {
    case 'unpack':
      return await unpackLayer(files, job, options)
    case 'pack':
      return await packLayer(files, job, options)
    case 'empty':
      emptyDirectory(job.directory)
      return undefined
    case 'sync':
      files.syncfs(job.path)
      return undefined
    case 'recipe':
      return await makeRecipe(files, job, options.signal)
    case 'verify':
      return await verifyLayer(files, job, options.signal)
    case 'hash':
      return await hashFile(job.path, options.signal)
    case 'measure':
      return measureNow(job.path)
    case 'task': {
      if (loadTask === undefined) throw internal(`Cannot run ${job.task}: this worker has no tasks`)
      return await (
        await loadTask(job.task)
      )(files, job.input, options.signal, share)
    }
  }
}
