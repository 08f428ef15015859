/** Writes `native/init/protocol.h` from the tables of `src/runtime/protocol.ts`. Run after changing them: `node tools/gen-protocol.ts`. */

import { writeFileSync } from 'node:fs'
import * as protocol from '../src/runtime/protocol.ts'

const C_TYPES = { u32: 'uint32_t', i32: 'int32_t', u64: 'uint64_t' } as const
/** One letter per field type; `plan.c` decodes by them. */
const SHAPES = { u32: 'u', i32: 'i', u64: 'U', string: 's', strings: 'l', bytes: 'b' } as const

function cName(...parts: string[]): string {
  return parts
    .map((part) => part.replaceAll('-', '_').replace(/([a-z])([A-Z])/g, '$1_$2'))
    .join('_')
    .toUpperCase()
}

function bits(prefix: string, table: Record<string, number>): string[] {
  return ['enum {', ...Object.entries(table).map(([name, value]) => `  ${cName(prefix, name)} = ${value},`), '};', '']
}

/** The whole text of `protocol.h`. */
export function protocolHeader(): string {
  const operations = Object.entries(protocol.OPERATIONS)
  const messages = Object.entries(protocol.MESSAGES)
  const lines = [
    '/* Made by tools/gen-protocol.ts from src/runtime/protocol.ts, where everything is explained. Do not edit. */',
    '#ifndef GANTRY_PROTOCOL_H',
    '#define GANTRY_PROTOCOL_H',
    '',
    '#include <stdint.h>',
    '',
    `#define PROTOCOL_VERSION ${protocol.PROTOCOL_VERSION}`,
    `#define MAX_FRAME ${protocol.MAX_FRAME}u`,
    `#define MONITOR_SOCKET "${protocol.MONITOR_SOCKET}"`,
    `#define EXIT_RECORD "${protocol.EXIT_RECORD}"`,
    `#define OP_MAX_FIELDS ${Math.max(...operations.map(([, operation]) => Object.keys(operation.fields).length))}`,
    '',
    'struct frame {',
    '  uint32_t length;',
    '  uint16_t type;',
    '  uint16_t version;',
    '};',
    '',
    'enum message_type {',
    ...messages.map(([name, message]) => `  ${cName('MSG', name)} = ${message.type},`),
    '};',
    '',
    ...messages.flatMap(([name, message]) => {
      const fields = Object.entries(message.fields)
      if (fields.length === 0) return []
      return [
        `struct msg_${name} {`,
        ...fields.map(
          ([field, type]) =>
            `  ${C_TYPES[type]} ${cName(field)
              .toLowerCase()
              .replace(/^errno$/, 'error')};`,
        ),
        '};',
        '',
      ]
    }),
    ...bits('PHASE', protocol.PHASES),
    ...bits('ATTACH', protocol.ATTACH),
    ...bits('WARN', protocol.WARNINGS),
    ...bits('OP_FLAG', protocol.OPERATION_FLAGS),
    ...bits('STDIO', protocol.STDIO),
    ...bits('HOW', protocol.MOUNT_HOW),
    ...bits('EXECVE', protocol.EXECVE),
    'enum stage {',
    ...protocol.STAGES.map((stage) => `  ${cName('STAGE', stage)},`),
    '};',
    '',
    'enum op_code {',
    ...operations.map(([name, operation]) => `  ${cName('OP', name)} = ${operation.code},`),
    '};',
    '',
    '/* Places of the fields in struct op. */',
    'enum {',
    ...operations.flatMap(([name, operation]) =>
      Object.keys(operation.fields).map((field, index) => `  ${cName('F', name, field)} = ${index},`),
    ),
    '};',
    '',
    '/* Field types by letter: u u32, i i32, U u64, s string, l list of strings, b bytes. */',
    'struct op_shape {',
    '  const char *fields;',
    '  enum stage stage;',
    '};',
    '#define OP_SHAPES \\',
    '  { \\',
    ...operations.map(
      ([name, operation]) =>
        `    [${cName('OP', name)}] = {"${Object.values(operation.fields)
          .map((type: protocol.FieldType) => SHAPES[type])
          .join('')}", ${cName('STAGE', operation.stage)}}, \\`,
    ),
    '  }',
    '',
    '#endif',
    '',
  ]
  return lines.join('\n')
}

if (import.meta.main) writeFileSync(new URL('../native/init/protocol.h', import.meta.url), protocolHeader())
