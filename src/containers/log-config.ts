import { invalidArgument, notImplemented } from '#errors'
import { parseHumanSize, shortId } from '#lib'
import type { LogSink } from '#runtime'
import type { HostConfig } from './configuration.ts'
import type { Container } from './types.ts'

type LogConfig = HostConfig['logConfig']

const JSON_FILE_OPTIONS = new Set([
  'max-size',
  'max-file',
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'mode',
  'max-buffer-size',
])

/**
 * Checks driver and options of a log configuration. Throws INVALID_ARGUMENT for what Docker refuses, NOT_IMPLEMENTED for what it would take.
 * Source: docs "JSON File logging driver"; moby daemon/logger.
 */
export function verifyLogConfig({ type, config }: LogConfig): void {
  if (type === 'none') return
  if (type !== 'json-file') throw invalidArgument(`logger: no log driver named '${type}' is registered`)
  for (const name of Object.keys(config)) {
    if (!JSON_FILE_OPTIONS.has(name)) throw invalidArgument(`unknown log opt '${name}' for json-file log driver`)
  }
  if ((config['compress'] ?? 'false') !== 'false') throw notImplemented('log opt compress of the json-file log driver is not supported yet')
  const mode = config['mode'] ?? 'blocking'
  if (mode === 'non-blocking') throw notImplemented('log opt mode=non-blocking is not supported yet')
  if (mode !== 'blocking') throw invalidArgument(`logger: logging mode not supported: ${mode}`)
  if (config['max-buffer-size'] !== undefined)
    throw invalidArgument("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
  maxSize(config)
  maxFile(config)
  for (const name of ['labels-regex', 'env-regex']) {
    try {
      void new RegExp(config[name] ?? '')
    } catch (cause) {
      throw invalidArgument(`invalid ${name}: ${config[name]}`, cause)
    }
  }
  expandTag(config['tag'] ?? '', undefined)
}

/** Where and how the monitor writes the log of a container whose configuration was verified. */
export function logSink(container: Container): LogSink {
  const { type, config } = container.hostConfig.logConfig
  if (type === 'none') return { driver: 'none' }
  const attrs = attributes(container, config)
  return {
    driver: 'json-file',
    path: container.logPath,
    maxSize: maxSize(config),
    maxFile: maxFile(config),
    extra: Object.keys(attrs).length === 0 ? '' : `"attrs":${JSON.stringify(attrs)}`,
  }
}

/** Files kept in all; readers need it to find the rotated ones. */
export function maxFile(config: Record<string, string>): number {
  const text = config['max-file']
  if (text === undefined) return 1
  const count = Number(text)
  if (!Number.isInteger(count) || text.trim() === '') throw invalidArgument(`invalid max-file: ${text}`)
  if (count < 1) throw invalidArgument('max-file cannot be less than 1')
  return count
}

function maxSize(config: Record<string, string>): number {
  const text = config['max-size']
  if (text === undefined || text === '-1') return 0
  let size: number
  try {
    size = parseHumanSize(text)
  } catch (cause) {
    throw invalidArgument(`invalid size: '${text}'`, cause)
  }
  if (size <= 0) throw invalidArgument('max-size must be a positive number')
  return size
}

/** `labels`, `labels-regex`, `env`, `env-regex` pick what is written with each line, `tag` is expanded. */
function attributes(container: Container, config: Record<string, string>): Record<string, string> {
  const picked: Record<string, string> = {}
  const pick = (source: Record<string, string>, names: string | undefined, pattern: string | undefined): void => {
    for (const name of (names ?? '').split(',')) if (name !== '' && source[name] !== undefined) picked[name] = source[name]
    if (pattern === undefined || pattern === '') return
    const expression = new RegExp(pattern)
    for (const [name, value] of Object.entries(source)) if (expression.test(name)) picked[name] = value
  }
  pick(container.config.labels, config['labels'], config['labels-regex'])
  const env = Object.fromEntries(container.config.env.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)]))
  pick(env, config['env'], config['env-regex'])
  if (config['tag']) picked['tag'] = expandTag(config['tag'], container)
  return picked
}

/** Fields of Docker's log tag template. Without a container the template is only checked. */
function expandTag(template: string, container: Container | undefined): string {
  return template.replace(/\{\{(.*?)\}\}/g, (_, expression: string) => {
    const field = expression.trim()
    const imageId = container?.imageId.replace('sha256:', '') ?? ''
    switch (field) {
      case '.ID':
        return shortId(container?.id ?? '')
      case '.FullID':
        return container?.id ?? ''
      case '.Name':
        return container?.name ?? ''
      case '.ImageID':
        return shortId(imageId)
      case '.ImageFullID':
        return imageId
      case '.ImageName':
        return container?.config.image ?? ''
      case '.DaemonName':
        return 'docker'
      default:
        throw notImplemented(`log tag field {{${field}}} is not supported yet`)
    }
  })
}
