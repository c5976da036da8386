// Rules of this file:
// - every call has a time limit, and where it is over the process that makes the call is ended;
// - no secret is in that process's arguments or environment;
// - it fails closed: what is not known is an error, never "there is no key".
import { spawn, type ChildProcess } from 'node:child_process'
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { childEnvironment } from '../child.ts'
import { KeysError } from '../errors.ts'
import { Secret } from '../secret.ts'
import type { LoginLine } from './credential.ts'
import { type KeychainCall, keychainFailure, keychainTimeout, withoutAnswer } from './keychain-failure.ts'
import type { KeychainAnswer, KeychainRequest } from './keychain-wire.ts'

/** The keychain of the system, as far as this program uses it: one entry a profile. */
export interface Keychain {
  /** What it is called on this system. */
  readonly name: string
  readonly service: string
  /** What the entry holds; undefined where there is none. Throws where that cannot be known. */
  read(account: string): Promise<Secret | undefined>
  /** Writes the entry and resolves to what it holds then. */
  write(account: string, secret: Secret): Promise<Secret | undefined>
  /** Removes the entry; one that is not there is as good. Throws where it is still there. */
  remove(account: string): Promise<void>
  /** Throws where a write would; the entry itself stays as it is. */
  proveWritable(account: string): Promise<void>
}

export interface KeychainOptions {
  platform: NodeJS.Platform
  /** The Node that runs this program, and the program's own path. */
  execPath: string
  program: string
  env: Readonly<Record<string, string | undefined>>
  /** How long one call may take. */
  limitMs: number
  signal: AbortSignal
  /** Whether it may ask a person for its password, in a window of its own; else reading fails where it would. */
  mayAsk: boolean
  loginLine: LoginLine
  /** Called once where a call takes so long that it most likely waits for a person. */
  onWait: (limitMs: number) => void
}

export const keychainService = 'pictify-keys'
/** A keychain that is open answers within milliseconds. */
const waitWorthSaying = 1_500
/** The process is ended from here; should this one die first, it ends itself by then. */
const graceMs = 1_000

export function createKeychain(options: KeychainOptions): Keychain {
  const name = keychainName(options.platform)
  const service = keychainService
  let hasToldWait = false

  async function call(request: Operation): Promise<Secret | undefined> {
    options.signal.throwIfAborted()
    const child = start(options)
    const slow = setTimeout(() => {
      if (!hasToldWait) options.onWait(options.limitMs)
      hasToldWait = true
    }, waitWorthSaying)
    try {
      const limitMs = options.limitMs + graceMs
      const login = (...flags: string[]) => options.loginLine(request.account, ...flags)
      const of = { name, platform: options.platform, login }
      const answer = await ask(child, { ...request, service, limitMs }, options, of)
      if ('failed' in answer) throw keychainFailure(answer, of)
      return answer.held === null ? undefined : new Secret(answer.held)
    } finally {
      clearTimeout(slow)
      child.kill('SIGKILL')
    }
  }

  return {
    name,
    service,
    async read(account) {
      if (options.mayAsk) return call({ operation: 'read', account })
      // it does not tell beforehand whether it would ask
      if (options.platform !== 'darwin') return call({ operation: 'peek', account })
      throw new KeysError('keychain-locked', `${name} might ask for its password, and was not asked`)
    },
    write: (account, secret) => call({ operation: 'write', account, secret: secret.reveal() }),
    async remove(account) {
      if ((await call({ operation: 'remove', account })) === undefined) return
      throw new KeysError('credential-store', `${name} still has the entry (${service}, ${account})`, {
        hint: 'another program may have written it again: remove it there by hand',
      })
    },
    async proveWritable(account) {
      if ((await call({ operation: 'prove', account })) !== undefined) return
      throw new KeysError('credential-store', `${name} does not keep what is written to it`, {
        hint: `${options.loginLine(account, '--store', 'file')} keeps the key in the profile file instead`,
      })
    },
  }
}

type Operation = Pick<KeychainRequest, 'account'> &
  ({ operation: 'read' | 'peek' | 'remove' | 'prove' } | { operation: 'write'; secret: string })

/** What the keychain of a system is called, in the middle of a sentence. */
export function keychainName(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'the macOS Keychain'
  return platform === 'win32' ? 'the Windows Credential Manager' : 'the Secret Service'
}

function start({ execPath, program, env }: KeychainOptions): ChildProcess {
  // what is started is most often a link to the program
  const file = path.resolve(realpathSync(program), '../../dist/keychain.js')
  const { NODE_OPTIONS: _, NODE_DEBUG: _d, ...rest } = childEnvironment(env)
  return spawn(execPath, [file], {
    env: rest,
    cwd: path.dirname(file),
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  })
}

/** The answer of the process. Throws `keychain-timeout`, and the signal's reason where that aborts first. */
function ask(
  child: ChildProcess,
  request: KeychainRequest,
  { limitMs, signal }: KeychainOptions,
  of: KeychainCall,
): Promise<KeychainAnswer> {
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      settled()
    }
    const onAbort = () => settle(() => reject(signal.reason as Error))
    const timer = setTimeout(
      () => settle(() => reject(keychainTimeout(of, limitMs, request.operation))),
      limitMs,
    )
    signal.addEventListener('abort', onAbort, { once: true })
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.endsWith('\n')) settle(() => resolve(JSON.parse(text) as KeychainAnswer))
    })
    child.once('error', (error) => settle(() => reject(withoutAnswer(of, error.message))))
    child.once('close', (code, endedBy) =>
      settle(() => reject(withoutAnswer(of, `its process ended with ${endedBy ?? code}`))),
    )
    // a process that ends before it has read the request says so by its end
    child.stdin?.on('error', () => undefined)
    // left open: its end tells the process that nobody waits for it any more
    child.stdin?.write(`${JSON.stringify(request)}\n`)
  })
}
