/** Syntax tree of a template. `at` is the offset in the source; `text` what error messages show. */

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe }
  | { kind: 'if' | 'with'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'break' }
  | { kind: 'continue' }

/** `$a, $b := command | command`. */
export interface Pipe {
  variables: string[]
  /** `=` instead of `:=`. */
  assigns: boolean
  commands: Command[]
}

/** An operand, or a function or method with its arguments. */
export interface Command {
  operands: Operand[]
  at: number
  text: string
}

export type Operand = { at: number; text: string } & (
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'dot' }
  /** `.A.B` */
  | { kind: 'field'; names: string[] }
  /** `$x.A` */
  | { kind: 'variable'; name: string; names: string[] }
  /** `printf` */
  | { kind: 'function'; name: string }
  /** `(…).A` */
  | { kind: 'group'; pipe: Pipe; names: string[] }
)

/** A template that cannot be read or run; `message` is Go's text. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}
