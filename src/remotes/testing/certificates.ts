import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate for 127.0.0.1 that signs itself, made by openssl: it is its own CA. */
export function selfSigned(): { cert: Buffer; key: Buffer } {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-certificate-'))
  try {
    const [key, cert] = [join(directory, 'key'), join(directory, 'cert')]
    const what = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    const names = ['-subj', '/CN=gantry test', '-addext', 'subjectAltName=IP:127.0.0.1']
    execFileSync('openssl', [...what, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    return { cert: readFileSync(cert), key: readFileSync(key) }
  } finally {
    rmSync(directory, { recursive: true })
  }
}
