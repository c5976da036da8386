import path from 'node:path'
import { defaultBaseUrl, parseBaseUrl } from './api/base-url.ts'
import { createClient } from './api/client.ts'
import type { Client, Wait } from './api/contract.ts'
import type { Clock } from './clock.ts'
import { commandLine } from './command-line.ts'
import { defaultProfile, openConfig, type Config } from './config.ts'
import type { Context } from './context.ts'
import type { LoginLine } from './credentials/credential.ts'
import type { KeychainOptions } from './credentials/keychain.ts'
import { findCredential, refuseElsewhere } from './credentials/lookup.ts'
import { formatDuration } from './duration.ts'
import type { Environment } from './flags.ts'
import type { Globals } from './globals.ts'
import { createTransport } from './http.ts'
import { answersTo } from './rotation/marked-name.ts'
import type { Secret } from './secret.ts'
import type { Output } from './ui/output.ts'
import { wantsColour } from './ui/paint.ts'
import { createPrompts } from './ui/prompts.ts'
import type { SecretScreenOptions } from './ui/secret-screen.ts'
import { tellWait } from './ui/wait.ts'

/** What a process gives its command; main.ts takes it from the real one, a test makes it up. */
export interface Surroundings {
  globals: Globals
  env: Environment
  cwd: string
  /** Opened when it is first read. */
  stdin: () => NodeJS.ReadableStream
  stderr: NodeJS.WriteStream
  out: Output
  clock: Clock
  signal: AbortSignal
  onInterrupt: Context['onInterrupt']
  /** Ctrl-C was typed so often where the terminal made no signal of it. */
  onCtrlC: (times: number) => void
  onStop: SecretScreenOptions['onStop']
  version: string
  /** What is done asks no person for anything (`Command.asksNobody`). */
  asksNobody: boolean
  process: ProcessFacts
  /** The folders for profiles and for journals where no flag names another. */
  folders: () => { config: string; data: string; cache: string }
}

/** What of the process itself a command may need. */
export interface ProcessFacts {
  /** The Node that runs it. */
  execPath: string
  /** `process.argv[1]`. */
  program: string
  pid: number
  platform: NodeJS.Platform
  /** `process.versions.node`. */
  nodeVersion: string
  /** `process.kill(pid, 0)`: throws for a process that is not there. */
  signal0: (pid: number) => void
}

/** A context whose costly parts are made at their first use, once. */
export function createContext(given: Surroundings): Context {
  const { globals, env, cwd, out, clock, signal } = given

  const waiting = new Set<(wait: Wait) => void>()

  const loginLine: LoginLine = (name, ...flags) => {
    const { apiUrl, caFile, insecureHttp } = globals
    const isNamed = name !== defaultProfile || globals.profile !== undefined
    const whose = { profile: isNamed ? name : undefined }
    return commandLine({ globals: { apiUrl, caFile, insecureHttp }, env }, 'login', flags, {}, {}, whose)
  }
  const openProfile = (name: string | undefined) => openConfig(given.folders().config, name)
  const config = once((): Promise<Config> => openProfile(globals.profile))
  const keychain = once(async () =>
    (await import('./credentials/keychain.ts')).createKeychain(keychainOptions(given, loginLine)),
  )
  const storeOf: Context['credentialStore'] = async (of, kind, options) => {
    const { openCredentialStore } = await import('./credentials/stores.ts')
    return openCredentialStore(of, kind, keychain, { loginLine, ...options })
  }
  const credential = once(async () => {
    const found = await findCredential(
      env,
      config,
      async (of, kind) => {
        // before a keychain is asked, which may ask a person
        refuseElsewhere(of, await apiUrl(), defaultBaseUrl)
        return storeOf(of, kind)
      },
      loginLine,
    )
    out.conceal(found.secret, found.source.kind === 'environment')
    return found
  })
  /** Without a look at the profile where flag or environment already decide. */
  const apiUrl = once(async () => {
    if (globals.apiUrl !== undefined) return parseBaseUrl(globals.apiUrl, globals)
    const { settings } = await config()
    const insecureHttp = globals.insecureHttp || settings.insecureHttp === true
    return parseBaseUrl(settings.apiUrl ?? defaultBaseUrl, { insecureHttp })
  })
  /** What the profile says where neither flag nor environment does; nothing where they leave it no say. */
  const settings = async () => (globals.apiUrl === undefined ? (await config()).settings : {})
  const transport = once(async () => {
    const caFile = globals.caFile ?? (await settings()).caFile
    return createTransport(env, {
      caFile: caFile === undefined ? undefined : path.resolve(cwd, caFile),
      nodeVersion: given.process.nodeVersion,
    })
  })

  const clientFor = async (secret: Secret): Promise<Client> => {
    out.attend()
    const baseUrl = await apiUrl()
    const [{ fetch }, profile] = await Promise.all([transport(), settings()])
    return createClient({
      fetch,
      baseUrl,
      credential: secret,
      version: given.version,
      clock,
      answersTo,
      plan: globals.plan ?? profile.plan,
      timeoutMs: globals.timeout,
      debug: (line) => out.debug(line),
      onWait(wait) {
        if (waiting.size === 0) tellWait(out, wait, clock.now())
        for (const listener of waiting) listener(wait)
      },
    })
  }

  return {
    api: once(async () => clientFor((await credential()).secret)),
    clientFor,
    credential,
    config,
    openProfile,
    credentialStore: storeOf,
    loginLine,
    apiUrl,
    out,
    prompt: createPrompts({
      interactive: out.interactive,
      stdin: given.stdin,
      stderr: given.stderr,
      signal,
      onCtrlC: given.onCtrlC,
      whose: once(async () => (await import('./credentials/whose.ts')).whoseKeys(env, config)),
      colour: wantsColour(given.stderr, env, globals.noColor),
      plain: globals.plain || env['TERM'] === 'dumb',
    }),
    secretScreen: once(async () => {
      const { createSecretScreen } = await import('./ui/secret-screen.ts')
      const { stdin, stderr, onStop, onCtrlC } = given
      const { platform } = given.process
      return createSecretScreen({ stdin, stderr, signal, onStop, onCtrlC, env, cwd, platform })
    }),
    clock,
    signal,
    onInterrupt: given.onInterrupt,
    onWait(listener) {
      waiting.add(listener)
      return () => void waiting.delete(listener)
    },
    env,
    globals,
    cwd,
    stateDir: path.resolve(cwd, globals.stateDir ?? given.folders().data),
    get cacheDir() {
      return given.folders().cache
    },
    get stdin() {
      return given.stdin()
    },
    insecureHttp: globals.insecureHttp,
    version: given.version,
    nodeVersion: given.process.nodeVersion,
    program: given.process.program,
    processes: {
      pid: given.process.pid,
      async startOf(pid) {
        const { createProcesses } = await import('./processes.ts')
        return createProcesses(given.process.pid, given.process.platform, given.process.signal0).startOf(pid)
      },
    },
  }
}

/** A keychain may ask a person for its password: without one nobody answers, and waiting longer helps nothing. */
const unattendedKeychainMs = 10_000

function keychainOptions(
  { globals, env, out, signal, asksNobody, process: facts }: Surroundings,
  loginLine: LoginLine,
): KeychainOptions {
  return {
    platform: facts.platform,
    execPath: facts.execPath,
    program: facts.program,
    env,
    limitMs: out.interactive ? globals.timeout : Math.min(globals.timeout, unattendedKeychainMs),
    signal,
    mayAsk: !asksNobody,
    loginLine,
    onWait: (boundMs) =>
      out.event(
        { event: 'keychain-wait', boundMs },
        `waiting up to ${formatDuration(boundMs)} for the keychain: it may be asking for its password in a window`,
      ),
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}
