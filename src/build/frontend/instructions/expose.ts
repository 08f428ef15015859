import { parseExposedPorts } from '#dockerfile'
import type { ExposeInstruction } from '#dockerfile'
import { addMembers } from '#lib'
import { lint } from '../conversion.ts'
import { goList } from './go-format.ts'
import { expand, noteMetadata } from './instruction-context.ts'
import type { InstructionContext } from './instruction-context.ts'

/** As much text as one port becomes, in config and history. */
const PORT_EFFORT = 16

export function dispatchExpose({ ports: written, range }: ExposeInstruction, context: InstructionContext): void {
  const { conversion, stage } = context
  const words = written.flatMap((word) => expand(word, context).words)
  const ports = words.flatMap((word) => {
    const { ports: exposed, hasHostPart, hasUpperCaseProtocol } = parseExposedPorts(word)
    conversion.effort.spend(exposed.length * PORT_EFFORT)
    if (hasHostPart) lint(conversion, 'ExposeInvalidFormat', [word], range)
    if (hasUpperCaseProtocol) lint(conversion, 'ExposeProtoCasing', [word], range)
    return exposed
  })
  addMembers(
    (stage.image.config.ExposedPorts ??= {}),
    ports.map((port) => [port, {}]),
  )
  noteMetadata(context, `EXPOSE ${goList(ports)}`, `EXPOSE ${words.join(' ')}`)
}
