/** Services that keep caches, on the host that is tested: a process of their own, as clients are waited for by whoever starts them. Run by `startCacheServices`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ActionsServer } from '../../../src/build/export/cache/services/testing/actions-server.ts'
import { S3Server } from '../../harness/s3-server.ts'
import type { TestHost } from '../../harness/index.ts'

/** As `--cache-to` and `--cache-from` take them. */
export interface CacheServices extends AsyncDisposable {
  gha: string
  s3: string
}

export async function startCacheServices(host: TestHost): Promise<CacheServices> {
  const [program = '', ...args] = host.wrap([
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(import.meta.url),
    'serve',
  ])
  const running = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(running.stdout), 'line')) as [string]
  return {
    ...(JSON.parse(line) as Pick<CacheServices, 'gha' | 's3'>),
    async [Symbol.asyncDispose]() {
      running.kill('SIGKILL')
      if (running.exitCode === null && running.signalCode === null) await once(running, 'exit')
    },
  }
}

async function serve(): Promise<void> {
  const [actions, s3] = [await ActionsServer.start(), await S3Server.start()]
  const { accessKeyId, secretAccessKey, region } = s3.account
  const login = `access_key_id=${accessKeyId},secret_access_key=${secretAccessKey}`
  const places: Pick<CacheServices, 'gha' | 's3'> = {
    // buildx 0.29 drops a cache that has no address of the first version.
    gha: `type=gha,url=${actions.url},url_v2=${actions.url},token=${actions.token()}`,
    s3: `type=s3,bucket=${s3.bucket},region=${region},endpoint_url=${s3.endpoint},use_path_style=true,${login}`,
  }
  process.stdout.write(`${JSON.stringify(places)}\n`)
}

if (process.argv[2] === 'serve' && process.argv[1] === fileURLToPath(import.meta.url)) await serve()
