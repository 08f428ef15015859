/**
 * What the tests of rings two to four stand on: test hosts (namespaces of their own) and engines under test.
 *
 *     await using engine = await Engine.start()
 *     engine.loadStarter()
 *     assert.equal(engine.mustDocker('run', '--rm', 'starter', 'echo', 'hi'), 'hi')
 *
 * Leaving the block removes the containers, stops the daemon, fails when anything is left behind, and ends the host.
 */
export { cgroupsOf, removeCgroups } from './cgroups.ts'
export { eventually } from './eventually.ts'
export { TestHost } from './test-host.ts'
export { Engine, ROOT, starterImage, type EngineOptions, type Reply } from './engine.ts'
export { DockerRegistry, dockerRegistryMissing, writePasswords, type DockerRegistryOptions } from './docker-registry.ts'
export { FaultProxy, OtherHost, type Fault, type FaultRule, type ProxiedRequest } from './fault-proxy.ts'
export { OciLayout, type LayoutDescriptor } from './oci-layout.ts'
