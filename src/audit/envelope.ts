// Rules of this file:
// - an envelope is one of DSSE (Dead Simple Signing Envelope): what is signed are the payload's bytes, so that nothing has
//   to be brought into a canonical form before it is checked;
// - a line is an envelope in one form alone: no byte of it can be another one unnoticed.
import { createHash, type KeyObject, sign, verify } from 'node:crypto'

/** An Ed25519 key, and what names it: the SHA-256 of its public half (DER of SPKI), in hex. */
export interface SigningKey {
  id: string
  key: KeyObject
}

/** What a line holds, before anything of it is believed. */
export interface Envelope {
  payloadType: string
  payload: Buffer
  keyId: string
  signature: Buffer
}

/** The line of a payload, signed; without its end. */
export function sealLine(payloadType: string, payload: object, { id, key }: SigningKey): string {
  const bytes = Buffer.from(JSON.stringify(payload))
  const signature = sign(null, signedBytes(payloadType, bytes), key)
  return lineOf({ payloadType, payload: bytes, keyId: id, signature })
}

/** Undefined for a line that `sealLine` cannot have made. */
export function openLine(line: string): Envelope | undefined {
  const { payload, payloadType, signatures } = (parsed(line) ?? {}) as Partial<Record<string, unknown>>
  const [first] = Array.isArray(signatures) ? (signatures as unknown[]) : []
  const { keyid, sig } = (first ?? {}) as Partial<Record<string, unknown>>
  const texts = [payload, payloadType, keyid, sig]
  if (!texts.every((text) => typeof text === 'string')) return undefined
  const envelope = {
    payloadType: payloadType as string,
    payload: Buffer.from(payload as string, 'base64'),
    keyId: keyid as string,
    signature: Buffer.from(sig as string, 'base64'),
  }
  return lineOf(envelope) === line ? envelope : undefined
}

/** Whether the payload is as the key's holder signed it. */
export function isSignedBy({ payloadType, payload, signature }: Envelope, { key }: SigningKey): boolean {
  return verify(null, signedBytes(payloadType, payload), key, signature)
}

/** What the next line refers to this one by: SHA-256 in hex. */
export function digestOf(line: string): string {
  return createHash('sha256').update(line).digest('hex')
}

function lineOf({ payloadType, payload, keyId, signature }: Envelope): string {
  return JSON.stringify({
    payload: payload.toString('base64'),
    payloadType,
    signatures: [{ keyid: keyId, sig: signature.toString('base64') }],
  })
}

/** DSSE's pre-authentication encoding: a type and a payload that run into each other in no way. */
function signedBytes(payloadType: string, payload: Buffer): Buffer {
  const type = Buffer.from(payloadType)
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `), payload])
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
