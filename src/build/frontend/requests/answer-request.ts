import { EngineError } from '#errors'
import type { BuildResult, FrontendHost } from '../../types.ts'
import type { Edge } from '../../graph/types.ts'
import { parseDefinition } from '../definition.ts'
import type { DefinitionSource } from '../definition.ts'
import type { FrontendOptions } from '../options.ts'
import { describeRequests } from './describe.ts'
import { answerLint } from './lint.ts'
import { answerOutline } from './outline.ts'
import type { RequestAnswer } from './request-answer.ts'
import { listTargets } from './targets.ts'

/** What a question is answered from. */
export interface RequestFacts {
  readonly options: FrontendOptions
  readonly inputs: Readonly<Record<string, Edge>>
  readonly host: FrontendHost
  readonly source: DefinitionSource
}

/** Answers a question about the Dockerfile. Throws NOT_IMPLEMENTED for one that is not known. Source: moby/buildkit frontend/dockerui/requests.go. */
export async function answerRequest(name: string, facts: RequestFacts): Promise<BuildResult> {
  const answer = await requestAnswer(name, facts)
  const members = Object.entries(answer).map(([member, text]) => [MEMBERS[member as keyof RequestAnswer], Buffer.from(text)] as const)
  return { images: [], multiPlatform: false, metadata: Object.fromEntries(members) }
}

const MEMBERS: Readonly<Record<keyof RequestAnswer, string>> = {
  json: 'result.json',
  text: 'result.txt',
  version: 'version',
  status: 'result.statuscode',
}

async function requestAnswer(name: string, facts: RequestFacts): Promise<RequestAnswer> {
  const { source } = facts
  switch (name) {
    case 'frontend.subrequests.describe':
      return describeRequests()
    case 'frontend.targets':
      return listTargets(parseDefinition(source))
    case 'frontend.outline':
      return await answerOutline(parseDefinition(source), facts)
    case 'frontend.lint':
      return await answerLint(source, facts)
    default:
      throw new EngineError('NOT_IMPLEMENTED', `unsupported request ${name}`)
  }
}
