/**
 * Devices by name: the Container Device Interface (CDI, a specification of the CNCF). A vendor writes files that say what a container needs
 * for a device (nodes, variables, mounts, programs to run before its start), and people ask for `vendor.com/class=name`.
 *
 * **Life.** A registry has directories, `/etc/cdi` and `/var/run/cdi` unless configured. At each question it looks which files there are,
 * reads those that have changed, and answers of what is valid: a broken file takes its own devices away and no others, and is told by
 * `problems`. A device in a later directory hides the one of the same name in an earlier; two in one directory hide each other.
 * `edits` gives what devices change, `inject` the specification of a container so changed: by the edits of the file once, then by each
 * device's.
 *
 * Files are read strictly, at most 1 MiB each; links lead to files of the same directory only. Versions 0.3.0 to 1.1.0.
 * `intelRdt`, `netDevices` and hooks of `startContainer` are refused when a device is used that has them. Other hooks become `hooks` of the
 * specification; carrying them out is `runtime`'s.
 *
 * **Words.** *Kind*: `vendor.com/class`. *Qualified name*: kind, `=`, name. *Edits*: what is changed in a container's specification.
 * *Problem*: a file that is not used, or is contradicted by another.
 *
 * ```ts
 * const devices = createCdiRegistry({ directories: ['/etc/cdi', '/var/run/cdi'], warn: (message) => console.warn(message) })
 * const spec = await devices.inject(plain, ['vendor.com/gpu=0'])
 * ```
 */
export type { CdiDevice, CdiProblem, CdiRegistry, ContainerEdits } from './types.ts'
export { applyEdits } from './apply-edits.ts'
export { createCdiRegistry, type CdiRegistryDeps } from './registry.ts'
export { splitKind, verifyKind } from './qualified-name.ts'
