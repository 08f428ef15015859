import { TemplateError, type Command, type Node, type Operand, type Pipe } from './ast.ts'
import { FUNCTIONS, type TemplateFunction } from './functions.ts'
import { lineOf } from './lexer.ts'
import { parseTemplate } from './parse.ts'
import { isTrue, show, typeName, View, type Value } from './values.ts'

export interface TemplateOptions {
  /** Name in error messages; Docker's formats have none. */
  name?: string
  /** Replaces or adds functions. */
  functions?: Readonly<Record<string, TemplateFunction>>
  /** What a missing key or field gives: `<no value>`, an error about a map, or an error about the named Go type. */
  missing?: 'no value' | 'map error' | { type: string }
  /** Value of a field that a Go struct has although the JSON leaves it out; undefined when there is no such field. */
  absentField?: (name: string) => Value
}

/** A parsed template. */
export interface Template {
  /** Runs the template on `data`. Throws TemplateError with Go's text. */
  execute(data: Value): string
}

/** Parses `source`; see `parse.ts` for what is understood. Throws TemplateError with Go's text. */
export function compileTemplate(source: string, options: TemplateOptions = {}): Template {
  const functions = { ...FUNCTIONS, ...options.functions }
  const nodes = parseTemplate(source, (name) => Object.hasOwn(functions, name))
  return { execute: (data) => new Run(source, functions, options, data).text(nodes) }
}

class Break extends Error {}
class Continue extends Error {}

class Run {
  readonly #source: string
  readonly #functions: Readonly<Record<string, TemplateFunction>>
  readonly #options: TemplateOptions
  /** Innermost last. */
  readonly #variables: [string, Value][]
  #out = ''

  constructor(source: string, functions: Readonly<Record<string, TemplateFunction>>, options: TemplateOptions, data: Value) {
    this.#source = source
    this.#functions = functions
    this.#options = options
    this.#variables = [['$', data]]
  }

  text(nodes: readonly Node[]): string {
    this.#nodes(nodes, this.#variables[0]?.[1])
    return this.#out
  }

  #nodes(nodes: readonly Node[], dot: Value): void {
    for (const node of nodes) this.#node(node, dot)
  }

  #node(node: Node, dot: Value): void {
    switch (node.kind) {
      case 'text':
        this.#out += node.text
        return
      case 'action': {
        const value = this.#pipe(node.pipe, dot)
        if (node.pipe.variables.length === 0) this.#out += show(value)
        return
      }
      case 'if':
      case 'with': {
        const depth = this.#variables.length
        const value = this.#pipe(node.pipe, dot)
        if (isTrue(value)) this.#nodes(node.body, node.kind === 'with' ? value : dot)
        else this.#nodes(node.otherwise, dot)
        this.#variables.length = depth
        return
      }
      case 'range':
        this.#range(node, dot)
        return
      case 'break':
        throw new Break()
      case 'continue':
        throw new Continue()
    }
  }

  #range(node: Node & { kind: 'range' }, dot: Value): void {
    const depth = this.#variables.length
    const { variables } = node.pipe
    const value = this.#pipe({ ...node.pipe, variables: [] }, dot)
    const items = this.#items(node, value)
    for (const [key, item] of items) {
      if (variables.length === 1) this.#variables.push([variables[0] ?? '', item])
      if (variables.length === 2) this.#variables.push([variables[0] ?? '', key], [variables[1] ?? '', item])
      try {
        this.#nodes(node.body, item)
      } catch (signal) {
        if (signal instanceof Break) break
        if (!(signal instanceof Continue)) throw signal
      } finally {
        this.#variables.length = depth
      }
    }
    if (items.length === 0) this.#nodes(node.otherwise, dot)
  }

  /** Keys and values in Go's order: maps by key. */
  #items(node: Node & { kind: 'range' }, value: Value): [Value, Value][] {
    if (value === null || value === undefined) return []
    if (Array.isArray(value)) return value.map((item: Value, at) => [at, item])
    if (typeof value === 'number') return Array.from({ length: value }, (_, at) => [at, at])
    const entries = value instanceof Map ? [...(value as Map<string, Value>)] : undefined
    if (entries !== undefined) return entries.sort(([a], [b]) => (a < b ? -1 : 1))
    const command = node.pipe.commands[0]
    throw this.#error(command?.at ?? 0, command?.text ?? '', `range can't iterate over ${show(value)}`)
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    let value: Value
    for (const [at, command] of pipe.commands.entries()) value = this.#command(command, dot, at === 0 ? [] : [value])
    for (const name of pipe.variables) {
      if (pipe.assigns) {
        const slot = this.#variables.findLast(([known]) => known === name)
        if (slot !== undefined) slot[1] = value
      } else this.#variables.push([name, value])
    }
    return value
  }

  /** `last` is what the pipeline hands over as the final argument. */
  #command(command: Command, dot: Value, last: Value[]): Value {
    const [first, ...rest] = command.operands
    if (first === undefined) return undefined
    if (first.kind === 'function') return this.#call(command, first, rest, dot, last)
    if (first.kind === 'field' || first.kind === 'variable' || first.kind === 'group') {
      const args = [...rest.map((operand) => this.#operand(operand, dot)), ...last]
      return this.#chain(first, dot, args)
    }
    if (rest.length > 0 || last.length > 0) throw this.#error(first.at, first.text, `can't give argument to non-function ${first.text}`)
    return this.#operand(first, dot)
  }

  #call(command: Command, first: Operand & { kind: 'function' }, rest: Operand[], dot: Value, last: Value[]): Value {
    if (first.name === 'and' || first.name === 'or') {
      let value: Value
      for (const operand of rest) {
        value = this.#operand(operand, dot)
        if (isTrue(value) === (first.name === 'or')) return value
      }
      return last.length > 0 ? last[0] : value
    }
    const call = this.#functions[first.name]
    const args = [...rest.map((operand) => this.#operand(operand, dot)), ...last]
    try {
      return call?.(...args)
    } catch (error) {
      if (error instanceof TemplateError) throw error
      throw this.#error(first.at, command.text, `error calling ${first.name}: ${(error as Error).message}`)
    }
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.kind) {
      case 'literal':
        return operand.value
      case 'dot':
        return dot
      case 'function':
        return this.#functions[operand.name]?.()
      default:
        return this.#chain(operand, dot, [])
    }
  }

  #chain(operand: Operand & { kind: 'field' | 'variable' | 'group' }, dot: Value, args: Value[]): Value {
    let value: Value = dot
    if (operand.kind === 'variable') value = this.#variables.findLast(([name]) => name === operand.name)?.[1]
    if (operand.kind === 'group') value = this.#pipe(operand.pipe, dot)
    for (const [at, name] of operand.names.entries()) {
      const before = operand.names[at - 1]
      // Docker tries again on the JSON when its struct has nothing there, and the JSON has no such key.
      if (value === null && before !== undefined && this.#options.missing === 'map error') {
        throw this.#error(operand.at, operand.text, `map has no entry for key ${JSON.stringify(before)}`)
      }
      value = this.#field(operand, value, name, at === operand.names.length - 1 ? args : [])
    }
    return value
  }

  #field(operand: Operand, value: Value, name: string, args: Value[]): Value {
    if (value instanceof View) {
      const member = value.members[name]
      if (member === undefined && value.lenient) return undefined
      if (member === undefined) throw this.#error(operand.at, operand.text, `can't evaluate field ${name} in type ${value.type}`)
      return member(...(args as never[]))
    }
    if (value === undefined || value === null) {
      throw this.#error(operand.at, operand.text, `nil pointer evaluating interface {}.${name}`)
    }
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw this.#error(operand.at, operand.text, `can't evaluate field ${name} in type ${typeName(value)}`)
    }
    const found = value instanceof Map ? (value as Map<string, Value>).get(name) : structField(value as Record<string, Value>, name)
    if (found !== undefined || value instanceof Map) return found
    const absent = this.#options.absentField?.(name)
    if (absent !== undefined) return absent
    const { missing = 'no value' } = this.#options
    if (missing === 'no value') return undefined
    if (missing === 'map error') throw this.#error(operand.at, operand.text, `map has no entry for key ${JSON.stringify(name)}`)
    throw this.#error(operand.at, operand.text, `can't evaluate field ${name} in type ${missing.type}`)
  }

  #error(at: number, text: string, message: string): TemplateError {
    const column = at - (this.#source.lastIndexOf('\n', at - 1) + 1)
    const name = this.#options.name ?? ''
    return new TemplateError(
      `template: ${name}:${lineOf(this.#source, at)}:${column}: executing ${JSON.stringify(name)} at <${text}>: ${message}`,
    )
  }
}

/**
 * A member by its JSON name, or by the Go name when that differs in capitals only (`.ID` for `Id`, `.NanoCPUs` for `NanoCpus`): users
 * write what Docker's Go structs are called.
 */
function structField(value: Record<string, Value>, name: string): Value {
  if (Object.hasOwn(value, name)) return value[name]
  if (!/^\p{Lu}/u.test(name)) return undefined
  const folded = name.toLowerCase()
  const key = Object.keys(value).find((candidate) => candidate.toLowerCase() === folded)
  return key === undefined ? undefined : value[key]
}
