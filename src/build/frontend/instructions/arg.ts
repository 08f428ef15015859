import type { ArgDefinition, ArgInstruction } from '#dockerfile'
import { expand, INTERNAL_ARGUMENTS, noteMetadata } from './instruction-context.ts'
import type { InstructionContext } from './instruction-context.ts'

/** ARG: what the client gave, else the default, else what was said in front of the first FROM. The value is a variable of the steps behind it. */
export function dispatchArg({ args, range }: ArgInstruction, context: InstructionContext): void {
  const { stage } = context
  const written = classicText(args, context)
  const texts = args.map((definition) => {
    const { name } = definition
    const { value, inherited } = argumentValue(definition, context)
    if (value !== undefined && !INTERNAL_ARGUMENTS.has(name)) stage.variables.set(name, value)
    if (!inherited) stage.outline.arguments.set(name, { definition, value: value ?? '', uses: new Set(), range })
    stage.outline.used.add(name)
    stage.arguments.set(name, value)
    return value === undefined ? name : `${name}=${value}`
  })
  noteMetadata(context, `ARG ${texts.join(' ')}`, written)
}

/** dockerd's builder wrote the default, whatever the client gave. For others it is not expanded: one that is not needed may be an error (`${A:?}`). */
function classicText(args: readonly ArgDefinition[], context: InstructionContext): string | undefined {
  if (context.conversion.options.history !== 'classic') return undefined
  const texts = args.map(({ name, value }) => (value === undefined ? name : `${name}=${expand(value, context).text}`))
  return `ARG ${texts.join(' ')}`
}

function argumentValue({ name, value }: ArgDefinition, context: InstructionContext): { value: string | undefined; inherited: boolean } {
  const { options, globals } = context.conversion
  const given = options.buildArgs.get(name)
  if (given !== undefined) return { value: given, inherited: false }
  if (value !== undefined) return { value: expand(value, context).text, inherited: false }
  const global = globals.variables.get(name)
  return { value: global, inherited: global !== undefined }
}
