import { spawnSync } from 'node:child_process'

export interface SkopeoResult {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs skopeo. Home and credentials are in `home`, which the test owns. */
export function skopeo(home: string, ...args: string[]): SkopeoResult {
  return spawnSync('skopeo', ['--insecure-policy', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, REGISTRY_AUTH_FILE: `${home}/auth.json` },
  })
}

/** Like {@link skopeo}, but a failure throws with what it said. Returns stdout. */
export function mustSkopeo(home: string, ...args: string[]): string {
  const { status, stdout, stderr } = skopeo(home, ...args)
  if (status !== 0) throw new Error(`skopeo ${args.join(' ')}: exit ${status}: ${stderr}${stdout}`)
  return stdout
}
