import { codeOf, EngineError } from '#errors'
import type { BuildSession } from '../session.ts'

/** Throws NOT_FOUND with BuildKit's words when the client forwards no SSH agent of this id, or none at all. */
export async function requireAgent(session: Pick<BuildSession, 'checkAgent'>, id: string): Promise<void> {
  try {
    await session.checkAgent(id)
  } catch (error) {
    if (codeOf(error) !== 'NOT_FOUND' && codeOf(error) !== 'NOT_IMPLEMENTED') throw error
    throw new EngineError('NOT_FOUND', `no SSH key ${JSON.stringify(id)} forwarded from the client`, { cause: error })
  }
}
