/**
 * The part of Swagger 2.0 that Docker's API file uses, as a validator of live answers. Stricter than the specification in one point: members that a
 * schema with `properties` does not name are reported, because a misspelt member would otherwise pass as an absent one.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'

interface Schema {
  $ref?: string
  type?: string
  format?: string
  enum?: unknown[]
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  required?: string[]
  items?: Schema
  allOf?: Schema[]
  'x-nullable'?: boolean
  [other: string]: unknown
}

interface Document {
  definitions: Record<string, Schema>
  responses?: Record<string, { schema?: Schema }>
  paths: Record<string, Record<string, { responses: Record<string, { schema?: Schema; $ref?: string }> }>>
}

export interface Problem {
  /** `[0].State.Status`. */
  at: string
  what: string
}

export class ApiDocument {
  readonly #document: Document

  constructor(path: string) {
    this.#document = parse(readFileSync(path, 'utf8'), { maxAliasCount: -1, merge: true }) as Document
  }

  /** What is wrong with an answer to `method path` (as the file writes it, `/containers/{id}/json`) of this status. */
  validate(method: string, path: string, status: number, body: unknown): Problem[] {
    const response = this.#document.paths[path]?.[method.toLowerCase()]?.responses[String(status)]
    if (response === undefined) return [{ at: '', what: `${method} ${path} has no response ${status}` }]
    const problems: Problem[] = []
    if (response.schema !== undefined) this.#check(response.schema, body, '', problems)
    return problems
  }

  #check(schema: Schema, value: unknown, at: string, problems: Problem[]): void {
    const resolved = this.#resolve(schema)
    if (value === null) {
      // Go writes absent slices, maps and pointers as null; the file marks only some of them.
      if (!isNullable(schema) && !isNullable(resolved) && !['array', 'object'].includes(typeOf(resolved)))
        problems.push({ at, what: 'is null' })
      return
    }
    switch (typeOf(resolved)) {
      case 'object':
        this.#checkObject(resolved, value, at, problems)
        break
      case 'array':
        if (!Array.isArray(value)) problems.push({ at, what: `is no array: ${show(value)}` })
        else if (resolved.items !== undefined)
          for (const [index, item] of value.entries()) this.#check(resolved.items, item, `${at}[${index}]`, problems)
        break
      case 'integer':
        if (!Number.isInteger(value)) problems.push({ at, what: `is no integer: ${show(value)}` })
        break
      case 'number':
      case 'boolean':
      case 'string':
        if (typeof value !== typeOf(resolved)) problems.push({ at, what: `is no ${typeOf(resolved)}: ${show(value)}` })
        break
    }
    if (resolved.enum !== undefined && !resolved.enum.some((allowed) => isDeepStrictEqual(allowed, value)))
      problems.push({ at, what: `is none of the values allowed: ${show(value)}` })
  }

  #checkObject(schema: Schema, value: unknown, at: string, problems: Problem[]): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push({ at, what: `is no object: ${show(value)}` })
      return
    }
    const { properties = {}, required = [], additionalProperties } = schema
    for (const name of required) if (!Object.hasOwn(value, name)) problems.push({ at: `${at}.${name}`, what: 'is missing' })
    for (const [name, member] of Object.entries(value)) {
      const known = properties[name]
      if (known !== undefined) this.#check(known, member, `${at}.${name}`, problems)
      else if (typeof additionalProperties === 'object') this.#check(additionalProperties, member, `${at}.${name}`, problems)
      else if (additionalProperties !== true && schema.properties !== undefined)
        problems.push({ at: `${at}.${name}`, what: 'is not in the schema' })
    }
  }

  /** References followed and `allOf` joined into one. */
  #resolve(schema: Schema): Schema {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
      const target = this.#document.definitions[name]
      if (target === undefined) throw new Error(`the API file has no definition ${name}`)
      return this.#resolve(target)
    }
    if (schema.allOf === undefined) return schema
    const parts = schema.allOf.map((part) => this.#resolve(part))
    const properties = parts.flatMap((part) => Object.entries(part.properties ?? {}))
    return {
      ...Object.assign({}, ...parts),
      ...schema,
      ...(properties.length > 0 && { properties: { ...Object.fromEntries(properties), ...schema.properties } }),
      required: [...parts.flatMap((part) => part.required ?? []), ...(schema.required ?? [])],
    }
  }
}

function isNullable(schema: Schema): boolean {
  return schema['x-nullable'] === true || schema['x-omitempty'] === true
}

function typeOf(schema: Schema): string {
  return schema.type ?? (schema.properties !== undefined || schema.additionalProperties !== undefined ? 'object' : '')
}

function show(value: unknown): string {
  return JSON.stringify(value).slice(0, 80)
}
