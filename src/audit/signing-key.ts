// Rules of this file:
// - keys are Ed25519 and nothing else; private ones in PKCS#8 (PEM), public ones in SPKI (PEM) or as OpenSSH has them;
// - no part of a private key is in an error.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { KeysError } from '../errors.ts'
import type { SigningKey } from './envelope.ts'

const makeOne = 'make a key for it: pictify-keys rotations keygen sign-key.pem'

/** Whether a private key is to be opened with a passphrase first. */
export function isEncrypted(pem: string): boolean {
  return pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----') || /^Proc-Type: 4,ENCRYPTED/m.test(pem)
}

/** Reads a private key; `what` names where it comes from. Throws `signing-key`. */
export function readPrivateKey(pem: string, what: string, passphrase?: string): SigningKey {
  if (pem.includes('-----BEGIN OPENSSH PRIVATE KEY-----')) {
    throw refusal(
      what,
      'is a private key as OpenSSH keeps it, which is not read here',
      'convert a copy of it with OpenSSH 10.1 or later (ssh-keygen -p -m PKCS8 -f <copy>), or ' + makeOne,
    )
  }
  if (!pem.includes('PRIVATE KEY-----')) {
    const isPublic = pem.includes('PUBLIC KEY-----') || /^(ssh|ecdsa)-\S+ /.test(pem)
    throw refusal(what, isPublic ? 'is a public key, and signs nothing' : 'is no private key in PEM', makeOne)
  }
  const key = openPrivateKey(pem, what, passphrase)
  refuseOther(key, what)
  return { id: idOf(createPublicKey(key)), key }
}

function openPrivateKey(pem: string, what: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) })
  } catch {
    // what the library says of it may quote it
    throw isEncrypted(pem)
      ? refusal(what, 'does not open with that passphrase', 'give the passphrase it was made with')
      : refusal(what, 'cannot be read: it is damaged, or was cut short', makeOne)
  }
}

/** Reads a public key. Throws `signing-key`. */
export function readPublicKey(text: string, what: string): SigningKey {
  if (text.includes('PRIVATE KEY-----')) {
    throw refusal(
      what,
      'is a private key, which whoever only checks should not have',
      'give the public one: openssl pkey -in sign-key.pem -pubout',
    )
  }
  const key = openPublicKey(text, what)
  refuseOther(key, what)
  return { id: idOf(key), key }
}

function openPublicKey(text: string, what: string): KeyObject {
  const [, base64] = /^ssh-ed25519 ([A-Za-z0-9+/=]+)/.exec(text.trim()) ?? []
  try {
    if (base64 === undefined) return createPublicKey(text)
    // the length and the name of its kind, the length of the key, and the key itself
    const x = Buffer.from(base64, 'base64').subarray(-32).toString('base64url')
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  } catch {
    throw refusal(
      what,
      'is no public key in PEM',
      'give the file that rotations keygen wrote beside the private key',
    )
  }
}

/** A new key: the private half under the passphrase where there is one, the public half, and its id. */
export function createSigningKey(passphrase?: string): { id: string; privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }
  return {
    id: idOf(publicKey),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** The public half of a key that signs. */
export function publicHalf({ id, key }: SigningKey): SigningKey {
  return { id, key: createPublicKey(key) }
}

function idOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

function refuseOther({ asymmetricKeyType }: KeyObject, what: string): void {
  if (asymmetricKeyType !== 'ed25519') {
    throw refusal(what, `is a key for ${asymmetricKeyType ?? 'something else'}, not for Ed25519`, makeOne)
  }
}

function refusal(what: string, wrong: string, hint: string): KeysError {
  return new KeysError('signing-key', `${what} ${wrong}`, { hint })
}
