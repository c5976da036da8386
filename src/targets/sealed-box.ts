import type { Secret } from '../secret.ts'
import { refusal } from './refusal.ts'
import { loadSdk } from './sdk.ts'

export type Seal = (secret: Secret, publicKey: string) => string

/**
 * libsodium's sealed box (`crypto_box_seal`): what it holds opens with the private key alone. The public key and the
 * box are base64. Throws `target-refused` where the library is not installed, or the key is none.
 */
export async function loadSealedBox(of: { name: string; program: string }): Promise<Seal> {
  const sodium = await loadSdk('libsodium-wrappers', of, async () => {
    const { default: library } = await import('libsodium-wrappers')
    await library.ready
    return library
  })
  return (secret, publicKey) => {
    const key = Buffer.from(publicKey, 'base64')
    if (key.length !== sodium.crypto_box_PUBLICKEYBYTES) {
      throw refusal(`${of.name}: the public key it gives is none`, 'see whether this is GitHub at all')
    }
    return Buffer.from(sodium.crypto_box_seal(secret.reveal(), key)).toString('base64')
  }
}
