import type { FromInstruction } from '#dockerfile'
import type { Definition } from '../definition.ts'
import { VERSION } from './describe.ts'
import { goJson, jsonLocation, jsonSource, textTable } from './request-answer.ts'
import type { RequestAnswer } from './request-answer.ts'

/** `frontend.targets`: the stages. Shape: moby/buildkit frontend/subrequests/targets/targets.go. */
export function listTargets({ dockerfile, file }: Definition): RequestAnswer {
  const targets = dockerfile.stages.map(({ from }, index) => ({
    ...(from.name !== undefined && { name: from.name }),
    ...(index === dockerfile.stages.length - 1 && { default: true }),
    ...describe(from),
    base: from.image,
    ...(from.platform !== undefined && { platform: from.platform }),
    location: jsonLocation(from.range),
  }))
  const rows = targets.map((target) => [targetText(target), target.description ?? ''])
  return {
    json: goJson({ targets, sources: [jsonSource(file)] }),
    text: textTable([['TARGET', 'DESCRIPTION'], ...rows], 2),
    version: VERSION,
  }
}

function targetText({ name, default: isDefault = false }: { name?: string; default?: boolean }): string {
  if (!isDefault) return name ?? ''
  return name === undefined ? '(default)' : `${name} (default)`
}

function describe(from: FromInstruction): { description?: string } {
  const description = stageDescription(from)
  return description === undefined ? {} : { description }
}

/** `# name what it is for` in front of `FROM … AS name`. */
export function stageDescription({ name, comments }: FromInstruction): string | undefined {
  const comment = comments.at(-1)?.trim() ?? ''
  if (name === undefined || !comment.toLowerCase().startsWith(`${name} `)) return undefined
  return comment.slice(name.length + 1).trim()
}
