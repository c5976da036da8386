// Rules of this file:
// - it is the main of a process of its own, which makes one call of the keychain and ends: a call that waits for a window
//   that nobody sees cannot be taken back, but a process can be ended;
// - the secret comes on stdin and leaves on stdout, one line of JSON each: never in arguments, never in the environment;
// - it outlives nobody: when its stdin ends, or its time is over, it is gone at once, whatever the keychain is doing.
import type * as keyring from '@napi-rs/keyring'
import type { KeychainAnswer, KeychainRequest } from './credentials/keychain-wire.ts'

async function answer(request: KeychainRequest): Promise<KeychainAnswer> {
  let binding: typeof keyring
  try {
    binding = await import('@napi-rs/keyring')
  } catch (error) {
    return failure('load', error)
  }
  const open = (account: string) =>
    // by name, for otherwise it takes the kernel's keyring, which forgets, where there is no Secret Service
    new binding.AsyncEntry(request.service, account, { linux: { store: 'secret-service' } })
  try {
    const entry = open(request.account)
    switch (request.operation) {
      case 'read':
        return { held: await entry.getPassword() }
      case 'peek':
        return { held: await peek(binding, request) }
      case 'write':
        await entry.setPassword(request.secret)
        return { held: await entry.getPassword() }
      case 'remove':
        await entry.deleteCredential()
        return { held: await entry.getPassword() }
      case 'prove': {
        const trial = open(`${request.account} (write test)`)
        await trial.setPassword(trialText)
        const held = await trial.getPassword()
        await trial.deleteCredential()
        return { held }
      }
    }
  } catch (error) {
    return failure('call', error)
  }
}

/** Of the Secret Service, looking for entries unlocks none of them; Windows never asks anybody. */
async function peek(
  { AsyncEntry, findCredentialsAsync }: typeof keyring,
  { service, account }: KeychainRequest,
) {
  if (process.platform === 'win32') return new AsyncEntry(service, account).getPassword()
  const found = await findCredentialsAsync(service)
  return found.find((each) => each.account === account)?.password ?? null
}

const trialText = 'written to see whether it can be, and removed'

function failure(at: 'load' | 'call', error: unknown): KeychainAnswer {
  return { failed: at, message: error instanceof Error ? error.message : String(error) }
}

const end = () => void process.kill(process.pid, 'SIGKILL')

/** A terminal's Ctrl-C reaches every process at it: whether a call is broken off, the one that asked for it decides. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

let text = ''
process.stdin.setEncoding('utf8').on('end', end).on('error', end)
process.stdin.on('data', (chunk: string) => {
  const isWhole = text.includes('\n')
  text += chunk
  if (isWhole || !text.includes('\n')) return
  const request = JSON.parse(text) as KeychainRequest
  setTimeout(end, request.limitMs)
  void answer(request).then((answered) => {
    process.stdout.write(`${JSON.stringify(answered)}\n`, () => process.exit())
  })
})
