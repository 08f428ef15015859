import type { MaintainerInstruction, OnbuildInstruction, StopSignalInstruction, UserInstruction, VolumeInstruction } from '#dockerfile'
import { invalidArgument } from '#errors'
import { parseSignal } from '#kernel'
import { addMembers } from '#lib'
import { goList } from './go-format.ts'
import { expandText, noteMetadata } from './instruction-context.ts'
import type { InstructionContext } from './instruction-context.ts'

export function dispatchMaintainer({ maintainer }: MaintainerInstruction, context: InstructionContext): void {
  context.stage.image.author = maintainer
  noteMetadata(context, `MAINTAINER ${maintainer}`)
}

export function dispatchUser({ user: written }: UserInstruction, context: InstructionContext): void {
  const user = expandText(written, context)
  context.stage.image.config.User = user
  noteMetadata(context, `USER ${user}`)
}

export function dispatchVolume({ paths: written }: VolumeInstruction, context: InstructionContext): void {
  const paths = written.map((path) => expandText(path, context))
  if (paths.includes('')) throw invalidArgument('VOLUME specified can not be an empty string')
  addMembers(
    (context.stage.image.config.Volumes ??= {}),
    paths.map((path) => [path, {}]),
  )
  noteMetadata(context, `VOLUME ${goList(paths)}`)
}

export function dispatchStopSignal({ signal: written }: StopSignalInstruction, context: InstructionContext): void {
  const signal = expandText(written, context)
  parseSignal(signal)
  context.stage.image.config.StopSignal = signal
  noteMetadata(context, `STOPSIGNAL ${signal}`)
}

/** ONBUILD leaves nothing in BuildKit's history; the classic builder noted it. */
export function dispatchOnbuild({ trigger }: OnbuildInstruction, context: InstructionContext): void {
  const { stage, conversion } = context
  stage.image.config.OnBuild = [...(stage.image.config.OnBuild ?? []), trigger]
  if (conversion.options.history === 'classic') noteMetadata(context, `ONBUILD ${trigger}`)
}
