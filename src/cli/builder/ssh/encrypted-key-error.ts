/** Says that it is, and what to do. Source of the first half: golang.org/x/crypto/ssh, PassphraseMissingError. */
export function encryptedKeyError(): Error {
  return new Error('this private key is passphrase protected: add it to an agent')
}
