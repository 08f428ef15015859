import { execFile, spawnSync } from 'node:child_process'

export interface SkopeoResult {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs skopeo. Home and credentials are in `home`, which the test owns. */
export function skopeo(home: string, ...args: string[]): SkopeoResult {
  return spawnSync('skopeo', ['--insecure-policy', ...args], { encoding: 'utf8', maxBuffer: 1 << 26, env: environment(home) })
}

/** Like {@link skopeo}, for tests that serve what it asks for. */
export function skopeoMeanwhile(home: string, ...args: string[]): Promise<SkopeoResult> {
  const { promise, resolve } = Promise.withResolvers<SkopeoResult>()
  const child = execFile(
    'skopeo',
    ['--insecure-policy', ...args],
    { maxBuffer: 1 << 26, env: environment(home) },
    (_error, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
  )
  return promise
}

function environment(home: string): NodeJS.ProcessEnv {
  return { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, REGISTRY_AUTH_FILE: `${home}/auth.json` }
}

/** Like {@link skopeo}, but a failure throws with what it said. Returns stdout. */
export function mustSkopeo(home: string, ...args: string[]): string {
  const { status, stdout, stderr } = skopeo(home, ...args)
  if (status !== 0) throw new Error(`skopeo ${args.join(' ')}: exit ${status}: ${stderr}${stdout}`)
  return stdout
}
