import { goJson, textTable } from './request-answer.ts'
import type { RequestAnswer } from './request-answer.ts'

interface RequestDescription {
  Name: string
  Version: string
  Type: 'rpc'
  Description: string
  Opts: { Name: string; Description: string }[] | null
  Inputs: null
  Metadata: { Name: string; Description: string }[]
  Refs: null
}

export const VERSION = '1.0.0'

/** Shape and texts: moby/buildkit frontend/subrequests/types.go and the packages of the requests. */
const REQUESTS: readonly RequestDescription[] = [
  request('frontend.outline', 'List all parameters current build target supports', ['result.json', 'result.txt'], {
    target: 'Target build stage',
  }),
  request('frontend.targets', 'List all targets current build supports', ['result.json', 'result.txt'], {}),
  request('frontend.lint', 'Lint a Dockerfile', ['result.json', 'result.txt', 'result.statuscode'], {}),
  request('frontend.subrequests.describe', 'List available subrequest types', ['result.json', 'result.txt']),
]

function request(
  name: string,
  description: string,
  metadata: readonly string[],
  options?: Readonly<Record<string, string>>,
): RequestDescription {
  return {
    Name: name,
    Version: VERSION,
    Type: 'rpc',
    Description: description,
    Opts: options === undefined ? null : Object.entries(options).map(([Name, Description]) => ({ Name, Description })),
    Inputs: null,
    Metadata: metadata.map((Name) => ({ Name, Description: '' })),
    Refs: null,
  }
}

/** `frontend.subrequests.describe`. */
export function describeRequests(): RequestAnswer {
  const rows = REQUESTS.map(({ Name, Version, Description }) => [Name.replace(/^frontend\./, ''), Version, Description])
  return { json: goJson(REQUESTS), text: textTable([['NAME', 'VERSION', 'DESCRIPTION'], ...rows], 1), version: VERSION }
}
