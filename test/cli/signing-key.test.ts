// The key that signs receipts, by the real program and beside it by OpenSSL and OpenSSH, which know nothing of it.
import { execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorOf, openAccount, type Account } from './account.ts'
import { has } from './programs.ts'
import { openScreen } from './screen.ts'

let account: Account
const at = (name: string) => path.join(account.home.directory, name)
const rotations = (...args: string[]) => account.run(['rotations', ...args])

beforeAll(async () => {
  account = await openAccount()
  expect((await rotations('keygen', 'sign-key.pem')).exit).toBe(0)
  expect((await rotations('export', '--sign-key', 'sign-key.pem', '--out', 'first.ndjson')).exit).toBe(0)
})
afterAll(() => account.end())

const verify = (...args: string[]) => rotations('verify', ...args, '--public-key', 'sign-key.pub.pem')

describe('the key that signs', () => {
  const exportWith = (signKey: string, options?: Parameters<typeof account.run>[1]) =>
    account.run(['rotations', 'export', '--sign-key', signKey, '--until', '1h'], options)

  it('may have a passphrase, without which it signs nothing', async () => {
    const env = { PICTIFY_KEYS_SIGN_PASSPHRASE: 'correct horse battery' }
    const made = await account.run(['rotations', 'keygen', 'locked.pem', '--encrypt', '--json'], { env })
    expect(JSON.parse(made.stdout)).toMatchObject({
      signingKey: { encrypted: true, publicFile: 'locked.pub.pem' },
    })
    expect(await readFile(at('locked.pem'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    const args = ['rotations', 'export', '--sign-key', 'locked.pem']
    expect(errorOf(await account.run([...args, '--out', 'x', '--json']))).toMatchObject({
      code: 'needs-answer',
      hint: expect.stringContaining('PICTIFY_KEYS_SIGN_PASSPHRASE') as string,
    })
    const wrong = await account.run([...args, '--out', 'x', '--json'], {
      env: { PICTIFY_KEYS_SIGN_PASSPHRASE: 'something else' },
    })
    expect(errorOf(wrong)).toMatchObject({ code: 'signing-key' })
    expect(wrong.stderr).not.toContain('something else')
    expect((await account.run(args, { env })).stdout.split('\n')).toHaveLength(2)

    const screen = openScreen(account.home, [...args, '--out', 'typed.ndjson'])
    await screen.until('Passphrase of locked.pem')
    screen.type('correct horse battery\r')
    expect(await screen.ended).toEqual({ exit: 0, signal: null })
    expect(screen.raw()).not.toContain('correct horse')
    const checked = await rotations('verify', 'typed.ndjson', '--public-key', 'locked.pub.pem')
    expect(checked.stdout).toContain('proved')
  })

  it('may come from stdin or stand in the environment, but not on the command line', async () => {
    const pem = await readFile(at('sign-key.pem'), 'utf8')
    for (const ran of [
      await exportWith('-', { input: pem }),
      await account.run(['rotations', 'export', '--until', '1h'], { env: { PICTIFY_KEYS_SIGN_KEY: pem } }),
      await account.run(['rotations', 'export', '--until', '1h'], {
        env: { PICTIFY_KEYS_SIGN_KEY: 'sign-key.pem' },
      }),
    ]) {
      expect(ran.exit, ran.stderr).toBe(0)
      await writeFile(at('any.ndjson'), ran.stdout)
      expect((await verify('any.ndjson')).exit).toBe(0)
    }
    const typed = await exportWith(pem)
    expect(typed.exit).toBe(2)
    expect(typed.stderr).toContain('--sign-key takes a file')
    expect(typed.stderr).not.toContain(pem.split('\n')[1])
    // another command has nothing to do with what the environment says
    const list = await account.run(['rotations'], { env: { PICTIFY_KEYS_SIGN_KEY: pem } })
    expect(list.exit, list.stderr).toBe(0)
  })

  it('does not go to the programs that are started', async () => {
    const env = { PICTIFY_KEYS_SIGN_KEY: 'x', PICTIFY_KEYS_SIGN_PASSPHRASE: 'y' }
    const args = ['create', 'Told', '--type', 'test', '--to', 'exec:env > seen; cat > /dev/null']
    expect((await account.run(args, { env })).exit).toBe(0)
    expect(await readFile(at('seen'), 'utf8')).not.toContain('SIGN')
  })

  it('is one for Ed25519 in PKCS#8; of others it is said what they are, and what to do', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const rsa = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const openssh =
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n'
    const cases: [string, string, string][] = [
      ['rsa.pem', rsa, 'rsa.pem is a key for rsa, not for Ed25519'],
      ['id_ed25519', openssh, 'id_ed25519 is a private key as OpenSSH keeps it'],
      [
        'public.pem',
        await readFile(at('sign-key.pub.pem'), 'utf8'),
        'public.pem is a public key, and signs nothing',
      ],
      ['empty', '', 'empty is no private key in PEM'],
      ['torn.pem', (await readFile(at('sign-key.pem'), 'utf8')).slice(0, 60), 'torn.pem cannot be read'],
    ]
    for (const [name, text, message] of cases) {
      await writeFile(at(name), text, { mode: 0o600 })
      const ran = await exportWith(name)
      expect(ran.exit).toBe(2)
      expect(ran.stderr).toContain(message)
    }
    expect((await exportWith('not-there.pem')).stderr).toContain('it does not exist')
  })

  it('is warned of where others can read it', async () => {
    await chmod(at('sign-key.pem'), 0o644)
    try {
      expect((await exportWith('sign-key.pem')).stderr).toContain(
        'warning: sign-key.pem can be read by others',
      )
    } finally {
      await chmod(at('sign-key.pem'), 0o600)
    }
  })

  it.skipIf(!has('openssl'))('may be made by OpenSSL, which proves a line by itself too', async () => {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: account.home.directory })
    openssl('genpkey', '-algorithm', 'ed25519', '-out', 'theirs.pem')
    openssl('pkey', '-in', 'theirs.pem', '-pubout', '-out', 'theirs.pub.pem')
    const [line = ''] = (await exportWith('theirs.pem')).stdout.split('\n')
    const envelope = JSON.parse(line) as {
      payload: string
      payloadType: string
      signatures: [{ sig: string }]
    }
    const payload = Buffer.from(envelope.payload, 'base64')
    const type = envelope.payloadType
    await writeFile(at('signed'), `DSSEv1 ${type.length} ${type} ${payload.length} ${payload.toString()}`)
    await writeFile(at('signature'), Buffer.from(envelope.signatures[0].sig, 'base64'))
    const args = [
      '-verify',
      '-pubin',
      '-inkey',
      'theirs.pub.pem',
      '-rawin',
      '-in',
      'signed',
      '-sigfile',
      'signature',
    ]
    expect(openssl('pkeyutl', ...args).toString()).toContain('Signature Verified Successfully')
  })

  it.skipIf(!has('ssh-keygen'))('verifies as OpenSSH writes its public half', async () => {
    const der = createPublicKey(await readFile(at('sign-key.pub.pem'))).export({
      type: 'spki',
      format: 'der',
    })
    const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes])
    const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(der.subarray(-32))])
    await writeFile(at('id.pub'), `ssh-ed25519 ${blob.toString('base64')} auditor@example\n`)
    expect(execFileSync('ssh-keygen', ['-l', '-f', at('id.pub')]).toString()).toContain('(ED25519)')
    const ran = await rotations('verify', 'first.ndjson', '--public-key', 'id.pub')
    expect(ran.exit, ran.stderr).toBe(0)
  })
})
