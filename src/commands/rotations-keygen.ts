import { createSigningKey } from '../audit/signing-key.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { exportMode, refuseExisting, writeNewFile } from './new-output.ts'
import { choosePassphrase } from './signing-key-input.ts'

/** Makes a key to sign exports with, and beside it the public half, to verify them. */
export async function makeSigningKey(
  context: Context,
  { file, encrypt }: { file: string | undefined; encrypt: boolean },
): Promise<void> {
  const { cwd, out } = context
  if (file === undefined) {
    throw new KeysError('usage', 'there is no file for the key to go to', {
      hint: 'pictify-keys rotations keygen sign-key.pem',
    })
  }
  const publicFile = `${file.replace(/\.pem$/, '')}.pub.pem`
  for (const each of [file, publicFile]) await refuseExisting(cwd, each)
  const { id, privatePem, publicPem } = createSigningKey(
    encrypt ? await choosePassphrase(context) : undefined,
  )
  await writeNewFile(cwd, file, privatePem, exportMode)
  await writeNewFile(cwd, publicFile, publicPem, 0o644)
  out.result({ signingKey: { file, publicFile, keyId: id, encrypted: encrypt } }, ({ signingKey: key }) =>
    [
      `${key.file} signs${key.encrypted ? ', with its passphrase' : ''}: keep it where only you can read it`,
      `${key.publicFile} verifies: hand it to whoever checks, by a way of its own`,
      `key  ${key.keyId}`,
    ].join('\n'),
  )
}
