/** Says so, and what to do. Source of the first half: golang.org/x/crypto/ssh, PassphraseMissingError. */
export function isEncrypted(): Error {
  return new Error('this private key is passphrase protected: add it to an agent')
}
