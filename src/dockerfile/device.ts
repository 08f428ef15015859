import { DockerfileError } from './dockerfile-error.ts'
import type { Device } from './instructions/types.ts'
import { parseCsvRecord } from './words/csv-record.ts'
import { booleanValue } from './words/boolean-value.ts'

/** `vendor.com/class=name`, `name=…,required`. Throws {@link DockerfileError} without range. Source: BuildKit's commands_rundevice.go. */
export function parseDevice(text: string): Device {
  let name = ''
  let required = false
  for (const field of parseCsvRecord(text, 'devices')) {
    const equals = field.indexOf('=')
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    const value = equals < 0 ? undefined : field.slice(equals + 1)
    if (key === 'required') required = value === undefined || booleanValue(key, value)
    else if (key === 'name' && value !== undefined) {
      if (name !== '') throw new DockerfileError(`device name already set to ${name}`)
      name = value
    } else if (name === '') name = field
    else if (value === undefined) throw new DockerfileError(`invalid field '${field}' must be a key=value pair`)
    else throw new DockerfileError(`unexpected key '${key}' in '${field}'`)
  }
  return { name, required }
}
