// Rules of this file:
// - a private key comes from a file, a pipe or the environment, never from the command line itself;
// - neither it nor its passphrase is kept, or handed to anything but the signing.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { SigningKey } from '../audit/envelope.ts'
import { isEncrypted, readPrivateKey, readPublicKey } from '../audit/signing-key.ts'
import type { Context } from '../context.ts'
import { readRegularFile, strangersOf } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import { systemReason } from '../system-error.ts'
import { readPiped } from './secret-input.ts'

export const signKeyVariable = 'PICTIFY_KEYS_SIGN_KEY'
export const passphraseVariable = 'PICTIFY_KEYS_SIGN_PASSPHRASE'

/** A key of Ed25519 takes far less. */
const sizeLimit = 64 * 1024
const pem = /^\s*-----BEGIN /

/** The key that `--sign-key` says: a file, `-` for a pipe; its variable may hold the key itself. */
export async function readSigningKey(context: Context, given: string | undefined): Promise<SigningKey> {
  if (given === undefined) {
    throw new KeysError('usage', 'an export is signed, and there is no key to sign with', {
      hint: `give --sign-key <file>, or set ${signKeyVariable}; pictify-keys rotations keygen sign-key.pem makes one`,
    })
  }
  if (!pem.test(given)) {
    const key = await open(context, await textOf(context, given), given === '-' ? 'stdin' : given)
    if (given !== '-') await warnOfStrangers(context, given)
    return key
  }
  if (given !== context.env[signKeyVariable]) {
    throw new KeysError('usage', '--sign-key takes a file, and not the key itself', {
      hint: `what is on a command line can be read by others: write it to a file, or set ${signKeyVariable} to it`,
    })
  }
  return open(context, given, signKeyVariable)
}

export async function readPublicKeys(context: Context, files: readonly string[]): Promise<SigningKey[]> {
  return Promise.all(
    files.map(async (file) => readPublicKey(await readFileOf(context, file, 'the public key'), file)),
  )
}

/** For a key that is to be made: as the environment has it, or as it is typed, twice. */
export async function choosePassphrase({ env, prompt }: Context): Promise<string> {
  const given = env[passphraseVariable]
  if (given !== undefined && given !== '') return given
  const first = await prompt.secret('Passphrase for the key', passphraseVariable)
  const again = await prompt.secret('The same passphrase again', passphraseVariable)
  if (first === again && first !== '') return first
  throw new KeysError('usage', first === '' ? 'the passphrase is empty' : 'the two passphrases differ', {
    hint: 'nothing was written; run it again',
  })
}

async function open(context: Context, text: string, what: string): Promise<SigningKey> {
  return readPrivateKey(text, what, isEncrypted(text) ? await passphraseOf(context, what) : undefined)
}

async function passphraseOf({ env, prompt }: Context, what: string): Promise<string> {
  const given = env[passphraseVariable]
  return given !== undefined && given !== ''
    ? given
    : prompt.secret(`Passphrase of ${what}`, passphraseVariable)
}

async function textOf(context: Context, file: string): Promise<string> {
  if (file === '-') return readPiped(context, 'the signing key on stdin')
  return readFileOf(context, file, 'the signing key')
}

/** Of what is a private key indeed. */
async function warnOfStrangers({ cwd, out }: Context, file: string): Promise<void> {
  const { uid, mode } = await stat(path.resolve(cwd, file))
  // who can write in it can have another key sign
  if (strangersOf({ uid, mode }) !== undefined || (mode & 0o044) !== 0) {
    out.warn(`${file} can be read by others than you: chmod 600 ${file}`)
  }
}

async function readFileOf({ cwd }: Context, file: string, what: string): Promise<string> {
  try {
    return (await readRegularFile(path.resolve(cwd, file), { sizeLimit, links: true })).toString()
  } catch (cause) {
    throw new KeysError('signing-key', `${what} cannot be read: ${file}: ${systemReason(cause)}`, {
      hint:
        what === 'the public key'
          ? 'give the file of the public key'
          : 'pictify-keys rotations keygen <file> makes one',
      cause,
    })
  }
}
