import { commandArguments, healthConfig } from '#dockerfile'
import type { CmdInstruction, EntrypointInstruction, HealthcheckInstruction, ShellInstruction } from '#dockerfile'
import { formatGoDuration } from '#lib'
import { lint } from '../conversion.ts'
import { shellOf } from '../image-draft.ts'
import { goList, quote, quoteList } from './go-format.ts'
import { noteMetadata } from './instruction-context.ts'
import type { InstructionContext } from './instruction-context.ts'

export function dispatchCmd(instruction: CmdInstruction, context: InstructionContext): void {
  const { stage } = context
  const args = checkedArguments(instruction, context)
  stage.image.config.Cmd = args
  stage.image.config.ArgsEscaped = true
  stage.hasOwnCommand = true
  noteMetadata(context, `CMD ${quoteList(args)}`)
}

/** ENTRYPOINT. The base's CMD was for its own ENTRYPOINT, and goes with it. */
export function dispatchEntrypoint(instruction: EntrypointInstruction, context: InstructionContext): void {
  const { stage } = context
  const args = checkedArguments(instruction, context)
  stage.image.config.Entrypoint = args
  if (!stage.hasOwnCommand) delete stage.image.config.Cmd
  noteMetadata(context, `ENTRYPOINT ${quoteList(args)}`)
}

/** What is run. JSONArgsRecommended: a shell in front of the program does not pass signals on. Who sets SHELL knows. */
function checkedArguments(
  { command, keyword, range }: CmdInstruction | EntrypointInstruction,
  { stage, conversion }: InstructionContext,
): ReturnType<typeof commandArguments> {
  const isSet = (stage.image.config.Shell ?? []).length > 0
  if (command.form === 'shell' && !isSet) lint(conversion, 'JSONArgsRecommended', [keyword], range)
  return commandArguments(command, shellOf(stage.image))
}

export function dispatchShell({ shell }: ShellInstruction, context: InstructionContext): void {
  context.stage.image.config.Shell = [...shell]
  noteMetadata(context, `SHELL ${goList(shell)}`)
}

export function dispatchHealthcheck(instruction: HealthcheckInstruction, context: InstructionContext): void {
  const { test, interval = 0, timeout = 0, startPeriod = 0, startInterval = 0, retries = 0 } = instruction
  context.stage.image.config.Healthcheck = healthConfig(instruction)
  const [every, limit, start, startEvery] = [interval, timeout, startPeriod, startInterval].map(formatGoDuration)
  noteMetadata(
    context,
    `HEALTHCHECK {Test:${goList(test)} Interval:${every} Timeout:${limit} StartPeriod:${start} StartInterval:${startEvery} Retries:${retries}}`,
    `HEALTHCHECK &{${quoteList(test)} ${[every, limit, start, startEvery].map((text) => quote(text ?? '')).join(' ')} ${goRune(retries)}}`,
  )
}

/** Go's %q of a number: the character that it stands for. */
function goRune(code: number): string {
  const escaped = code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : String.fromCodePoint(code)
  return `'${escaped}'`
}
