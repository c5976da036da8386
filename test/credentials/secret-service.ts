// A Secret Service of its own for a test: a bus that nobody else is on, and GNOME's keyring daemon on it.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What scripts/servers/keychain.js tells. */
export interface KeychainFacts {
  daemon: string
  tool: string
  bus: string
  send: string
  silence: string
  env: Record<string, string>
}

export interface SecretService {
  /** What a program needs to reach it. */
  env: Record<string, string>
  /** What the real `secret-tool` finds; undefined where there is nothing. */
  lookup(account: string): Promise<string | undefined>
  /** Puts something there as another program would. */
  store(account: string, secret: string, more?: string[]): Promise<void>
  storeBytes(account: string, bytes: Buffer): Promise<void>
  clear(account: string): Promise<void>
  /** Locks the login keyring; there is nobody to answer its question for the password, and it knows. */
  lock(): Promise<void>
  /** From here on its question is put in a window that nobody sees. */
  hideWindow(): Promise<void>
  /** By starting the daemon anew. */
  unlock(): Promise<void>
  /** The daemon answers nobody, until `goOn`. */
  hang(): void
  goOn(): void
  /** As `hang`, of the bus itself: not even a connection is answered. */
  hangBus(): void
  die(): void
  bus: ChildProcess
  end(): Promise<void>
}

const password = 'the password of the login keyring'
const service = 'pictify-keys'
const busCall = [
  '--session',
  '--print-reply',
  '--dest=org.freedesktop.DBus',
  '/org/freedesktop/DBus',
  'org.freedesktop.DBus.NameHasOwner',
]

export async function openSecretService(facts: KeychainFacts): Promise<SecretService> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keychain-'))
  const data = path.join(folder, 'data')
  const runtime = path.join(folder, 'run')
  for (const each of [data, runtime]) await mkdir(each, { mode: 0o700 })
  const config = path.join(folder, 'bus.conf')
  // without the system's list of services: nothing is started that the test has not started
  await writeFile(
    config,
    `<busconfig><type>session</type><listen>unix:path=${runtime}/bus</listen><auth>EXTERNAL</auth>
     <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
     </busconfig>`,
  )
  const address = `unix:path=${runtime}/bus`
  const env = { DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: runtime }
  const own = { ...process.env, ...facts.env, ...env, XDG_DATA_HOME: data, HOME: folder, DISPLAY: '' }
  const bus = spawn(facts.bus, ['--nofork', `--config-file=${config}`, '--print-address'], {
    env: own,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await new Promise((resolve, reject) => {
    bus.stdout.once('data', resolve)
    bus.once('error', reject).once('exit', () => reject(new Error('the bus ended')))
  })

  const start = () => {
    const child = spawn(facts.daemon, ['--unlock', '--foreground', '--components=secrets'], {
      env: own,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    child.stdin.end(password)
    return child
  }
  let daemon = start()
  let window: ChildProcess | undefined
  const tool = async (args: string[], input: string | Buffer = '') => {
    const running = run(facts.tool, args, { env: own })
    // most of what it does needs no input, and may be over before it is there
    running.child.stdin?.on('error', () => undefined).end(input)
    return (await running).stdout
  }
  const call = (method: string, ...args: string[]) =>
    run(
      facts.send,
      [
        '--session',
        '--print-reply',
        '--dest=org.freedesktop.secrets',
        '/org/freedesktop/secrets',
        method,
        ...args,
      ],
      { env: own },
    )
  const answers = () =>
    call('org.freedesktop.Secret.Service.ReadAlias', 'string:default').then(
      ({ stdout }) => stdout.includes('/collection/'),
      () => false,
    )
  async function isReady(): Promise<void> {
    while (!(await answers())) {
      if (daemon.exitCode !== null) throw new Error('the keyring daemon ended')
      await sleep(20)
    }
  }
  await isReady()
  const entry = (account: string) => ['service', service, 'username', account]

  return {
    env,
    hang: () => void daemon.kill('SIGSTOP'),
    goOn: () => void daemon.kill('SIGCONT'),
    hangBus: () => void bus.kill('SIGSTOP'),
    die: () => void daemon.kill('SIGKILL'),
    bus,
    async lookup(account) {
      // it ends with 1 where there is nothing
      const found = await tool(['lookup', ...entry(account)]).catch(() => undefined)
      return found === '' ? undefined : found
    },
    store: async (account, secret, more = []) =>
      void (await tool(['store', '--label=by another program', ...entry(account), ...more], secret)),
    storeBytes: async (account, bytes) =>
      void (await tool(['store', '--label=spoilt', ...entry(account)], bytes)),
    clear: async (account) => void (await tool(['clear', ...entry(account)])),
    lock: async () =>
      void (await call(
        'org.freedesktop.Secret.Service.Lock',
        'array:objpath:/org/freedesktop/secrets/collection/login',
      )),
    async hideWindow() {
      const name = 'org.gnome.keyring.SystemPrompter'
      window = spawn(facts.silence, ['black-hole', '--session', `--name=${name}`], {
        env: own,
        stdio: 'ignore',
      })
      const isOwned = async () =>
        (await run(facts.send, [...busCall, `string:${name}`], { env: own })).stdout.includes('true')
      while (!(await isOwned())) await sleep(20)
    },
    async unlock() {
      // one that runs is told by nobody but the desktop's session; another one unlocks as it starts
      daemon.kill('SIGKILL')
      daemon = start()
      await isReady()
    },
    async end() {
      for (const child of [daemon, bus, window]) {
        child?.kill('SIGCONT')
        child?.kill('SIGKILL')
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}
