// Rules of this file:
// - escrow is AES-256-GCM under a key that HKDF-SHA-256 derives, with a random salt, from the admin credential:
//   whoever may resume a rotation can read its secrets, and nobody else;
// - the rotation's id is bound in, so that a box moved to another journal does not open.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { KeysError } from '../errors.ts'
import { Secret } from '../secret.ts'
import type { Held } from '../targets/target.ts'

/** What a rotation must not lose, in the clear. Lives in memory and, sealed, in the journal. */
export interface Escrowed {
  /** The successor's secret, from the mint on. */
  successor: Secret | undefined
  /** The secret being replaced, where it is known. */
  old: Secret | undefined
  /** What each target held before it was written, by the target's name; absent = held nothing. */
  held: ReadonlyMap<string, Held>
}

/** One sealed box; base64 throughout. */
interface Box {
  salt: string
  iv: string
  tag: string
  data: string
}

/** The same content sealed once for each credential that may open it. */
export type Sealed = Box[]

/** Seals for every one of the given credentials (`--self` needs the old and the new one). */
export function seal(content: Escrowed, rotationId: string, credentials: readonly Secret[]): Sealed {
  const plain = Buffer.from(
    JSON.stringify({
      successor: content.successor?.reveal(),
      old: content.old?.reveal(),
      held: [...content.held].map(([name, { value, version }]) => ({ name, value: value.reveal(), version })),
    }),
  )
  return credentials.map((credential) => {
    const salt = randomBytes(16)
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', keyFor(credential, salt, rotationId), iv)
    cipher.setAAD(Buffer.from(rotationId))
    const data = Buffer.concat([cipher.update(plain), cipher.final()])
    const base64 = (bytes: Buffer) => bytes.toString('base64')
    return { salt: base64(salt), iv: base64(iv), tag: base64(cipher.getAuthTag()), data: base64(data) }
  })
}

/** Opens the box that was sealed for this credential. Throws `escrow-locked` when there is none. */
export function open(sealed: Sealed, rotationId: string, credential: Secret): Escrowed {
  for (const box of sealed) {
    const plain = tryOpen(box, rotationId, credential)
    if (plain === undefined) continue
    const content = JSON.parse(plain.toString()) as {
      successor?: string
      old?: string
      held: { name: string; value: string; version?: string }[]
    }
    return {
      successor: content.successor === undefined ? undefined : new Secret(content.successor),
      old: content.old === undefined ? undefined : new Secret(content.old),
      held: new Map(
        content.held.map(({ name, value, version }) => [name, { value: new Secret(value), version }]),
      ),
    }
  }
  throw new KeysError(
    'escrow-locked',
    `the secrets of rotation ${rotationId} are sealed for another admin key`,
    {
      hint: 'run it again with the admin key that began it, or with --take-over to go on from the API and the targets alone',
    },
  )
}

function tryOpen(box: Box, rotationId: string, credential: Secret): Buffer | undefined {
  const bytes = (text: string) => Buffer.from(text, 'base64')
  const decipher = createDecipheriv(
    'aes-256-gcm',
    keyFor(credential, bytes(box.salt), rotationId),
    bytes(box.iv),
  )
  decipher.setAAD(Buffer.from(rotationId))
  try {
    decipher.setAuthTag(bytes(box.tag))
    return Buffer.concat([decipher.update(bytes(box.data)), decipher.final()])
  } catch {
    // GCM has one failure: this box is not for this key. Another one may be.
    return undefined
  }
}

function keyFor(credential: Secret, salt: Buffer, rotationId: string): Buffer {
  const info = `pictify-keys escrow v1 ${rotationId}`
  return Buffer.from(hkdfSync('sha256', credential.reveal(), salt, info, 32))
}
