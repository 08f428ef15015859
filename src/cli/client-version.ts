import type { Cli } from './cli.ts'
import { CLI_VERSION, MAX_API_VERSION } from './version.ts'

/** The client half of `docker version` and `docker info`, with Docker's field names. */
export interface ClientVersion {
  Platform: { Name: string }
  Version: string
  ApiVersion: string
  DefaultAPIVersion: string
  GitCommit: string
  GoVersion: string
  Os: string
  Arch: string
  BuildTime: string
  Context: string
}

/** `apiVersion` is the agreed one. Node stands where Docker names Go. */
export function clientVersion(cli: Cli, apiVersion: string): ClientVersion {
  return {
    Platform: { Name: 'Gantry' },
    Version: CLI_VERSION,
    ApiVersion: apiVersion,
    DefaultAPIVersion: MAX_API_VERSION,
    GitCommit: 'gantry',
    GoVersion: `node${process.versions.node}`,
    Os: process.platform,
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    BuildTime: '',
    Context: cli.contextName,
  }
}
