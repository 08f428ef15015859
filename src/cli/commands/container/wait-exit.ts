import type { ContainerWaitResponse } from '#api'
import type { Cli } from '../../cli.ts'

const UNKNOWN_STATUS = 125

/** The status a finished container ends our command with; 125 when the daemon could not tell. */
export async function exitStatus(cli: Cli, exit: Promise<ContainerWaitResponse>): Promise<number> {
  try {
    const answer = await exit
    if (answer.Error === undefined || answer.Error === null) return answer.StatusCode
    cli.warn(`Error waiting for container: ${answer.Error.Message}`)
  } catch (error) {
    cli.warn(`error waiting for container: ${(error as Error).message}`)
  }
  return UNKNOWN_STATUS
}
