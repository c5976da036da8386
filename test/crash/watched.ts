import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSandbox, type Sandbox, type SandboxKey } from '../../src/sandbox/server.ts'
import type { Secret } from '../../src/secret.ts'
import { createHome, type Home, type Ran } from '../cli/program.ts'
import { findLeaks, findLeaksInFiles, type Leak } from './leaks.ts'
import { distinct } from './points.ts'

const children = path.resolve('test/crash/children.js')
const saboteur = path.resolve('test/crash/saboteur.js')

/** Writes down the words and the environment of itself and of every process above it, up to this one's. */
const observe = `pid=$$
while [ "$pid" -gt 1 ] && [ "$pid" -ne ${process.pid} ]; do
  who=$1
  if tr '\\0' '\\n' </proc/$pid/cmdline | grep -q pictify-keys.js; then who=program; program=$pid; fi
  tr '\\0' ' ' </proc/$pid/cmdline >>NOTES/argv
  tr '\\0' '\\n' </proc/$pid/environ >>NOTES/environ.$who
  pid=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$pid/status)
done
if [ -n "$REPORTS" ] && [ ! -e "$REPORTS/asked" ]; then
  mkdir -p "$REPORTS"
  : >"$REPORTS/asked"
  kill -USR2 "$program"
  tries=0
  while [ "$(ls "$REPORTS" | grep -c json)" -eq 0 ] && [ $tries -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
`
/** Says the secret in every way that a careless program would. */
const chatter = `body=$(printf %s "$secret" | cut -c9-)
half=$(printf %s "$body" | cut -c1-13)
rest=$(printf %s "$body" | cut -c14-)
echo "it is $secret"
echo "Authorization: Bearer $secret" >&2
printf 'in two writes %s' "$half"; sleep 0.05; echo "$rest"
printf 'on two lines %s\\n%s\\n' "$half" "$rest"
printf 'coloured %s\\033[31m%s\\033[0m\\n' "$half" "$rest"
printf 'with a link \\033]8;;http://x/%s\\033\\\\%s\\033]8;;\\033\\\\\\n' "$secret" "$rest"
printf 'spread '; printf %s "$secret" | sed 's/./&\\xe2\\x80\\x8b/g'; echo
printf 'typed over '; printf %s "$secret" | sed 's/./&x\\x08/g' | tr -d x; echo
printf 'loud '; printf %s "$body" | tr a-z A-Z; echo
printf 'quiet '; printf %s "$body" | tr A-Z a-z; echo
printf 'json {"key":"%s"}\\n' "$secret"
printf 'url https://u:%s@host/?k=%s\\n' "$secret" "$body"
printf 'base64 '; printf %s "$secret" | base64 -w 0; echo
printf 'basic '; printf 'u:%s' "$secret" | base64 -w 0; echo
printf 'basic '; printf 'us:%s' "$secret" | base64 -w 0 | tr '+/' '-_'; echo
printf 'hex '; printf %s "$secret" | od -An -v -tx1 | tr -d ' \\n'; echo
printf 'in a long line '; head -c 100000 /dev/zero | tr '\\0' .; echo "$secret"
env
`

interface Child {
  file: string
  args: string[]
  envPairs: string[]
}

export interface WatchedRun extends Ran {
  children: Child[]
  /** Every point the saboteur saw, where there was one. */
  points: string[]
}

interface RunOptions {
  env?: Record<string, string | undefined>
  input?: string
  /** A fault of the program's own; see `children.js`. */
  crash?: 'throw' | 'reject'
  /** Killed at this point, by its place (from 1; 0 only counts them) or by a pattern it fits. */
  killAt?: number | string
  /** Sends these signals, each once its time has come. */
  signals?: [when: () => boolean, signal: NodeJS.Signals][]
}

/** The real program in a home of its own, and all it may leave or show of a secret. */
export interface Watched {
  sandbox: Sandbox
  home: Home
  /** "Production Server", in `.env` and in `secret.txt`. */
  old: SandboxKey
  /** Every secret there ever was on the server. */
  secrets(): Secret[]
  run(line: readonly string[], options?: RunOptions): Promise<WatchedRun>
  /** A `--verify` command and an `exec:` one: they look at the processes above them, say all they know, and end with this. */
  command(role: 'verify' | 'exec', exit?: number): string
  /** What of every secret is where it should not be: in what was printed, what children got, and what files hold. */
  leaks(ran: WatchedRun, allowed?: { stdout?: readonly Secret[]; files?: readonly string[] }): Promise<Leak[]>
  /** What ran `leaks`: how many bytes of output, files and children it went through, all in all. */
  readonly seen: { runs: number; characters: number; files: number; children: number }
  end(): Promise<void>
}

/** Files that hold secrets on purpose: the targets, and the profile that `login --store file` was asked to write. */
const holders = ['.env', 'secret.txt', 'admin.txt', 'config/pictify-keys/config.json']

export async function watch(): Promise<Watched> {
  const known = new Map<string, Secret>()
  const learn = () => {
    for (const { secret } of sandbox.keys()) known.set(secret.reveal(), secret)
  }
  const sandbox: Sandbox = await createSandbox({
    propagationMs: 0,
    plan: 'enterprise',
    onRequest: () => learn(),
  })
  const notes = await mkdtemp(path.join(tmpdir(), 'pictify-keys-notes-'))
  const home = await createHome({
    PICTIFY_API_URL: sandbox.url,
    PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal(),
  })
  home.env['TMPDIR'] = path.join(home.directory, 'tmp')
  await mkdir(home.env['TMPDIR'])
  const old = sandbox.dashboard.create({ name: 'Production Server', createdAt: Date.now() - 86_400_000 })
  const at = (file: string) => path.join(home.directory, file)
  await writeFile(at('.env'), `PICTIFY_API_KEY=${old.secret.reveal()}\n`, { mode: 0o600 })
  await writeFile(at('secret.txt'), old.secret.reveal(), { mode: 0o600 })
  await writeFile(at('admin.txt'), sandbox.adminKey.reveal(), { mode: 0o600 })
  for (const role of ['verify', 'exec'] as const) {
    const read = role === 'verify' ? 'secret=$PICTIFY_API_KEY' : 'secret=$(cat)'
    const text = `#!/bin/sh\n${read}\n(set -- ${role}; ${observe.replaceAll('NOTES', notes)})\n${chatter}\nexit "$1"\n`
    await writeFile(at(role), text)
    await chmod(at(role), 0o755)
  }
  let given: string[] = []
  /** The admin key that the environment gave, which the program may announce to nobody. */
  let jobs: Secret | undefined
  let verifyCommand: string | undefined
  const seen = { runs: 0, characters: 0, files: 0, children: 0 }
  const readNote = (name: string) =>
    readFile(path.join(notes, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
  const linesOf = async (name: string) => (await readNote(name)).split('\n').filter((line) => line !== '')

  return {
    sandbox,
    home,
    old,
    seen,
    secrets: () => {
      learn()
      return [...known.values()]
    },
    command: (role, exit = 0) => `./${role} ${exit}`,

    async run(line, { env = {}, input, crash, killAt, signals = [] } = {}) {
      given = Object.values({ ...home.env, ...env }).filter((value) => value !== undefined)
      jobs =
        'PICTIFY_ADMIN_KEY' in env && env['PICTIFY_ADMIN_KEY'] === undefined ? undefined : sandbox.adminKey
      verifyCommand = line[line.indexOf('--verify') + 1 || line.length]
      for (const note of ['children', 'points']) await rm(path.join(notes, note), { force: true })
      const preload = killAt === undefined ? children : saboteur
      const running = home.start(line, {
        ...(input !== undefined && { input }),
        preload,
        env: {
          ...env,
          CHILDREN: JSON.stringify({ log: path.join(notes, 'children'), crash }),
          ...(killAt !== undefined && {
            SABOTAGE: JSON.stringify({
              log: path.join(notes, 'points'),
              ...(typeof killAt === 'string' ? { match: killAt } : { at: killAt, only: distinct }),
            }),
          }),
        },
      })
      for (const [when, signal] of signals) {
        await running.until(when)
        // A person is slower than a library that sends the same signal on.
        await sleep(120)
        running.child.kill(signal)
      }
      const ran = await running.ended
      const started = (await linesOf('children')).map((text) => JSON.parse(text) as Child)
      return { ...ran, children: started, points: await linesOf('points') }
    },

    async leaks(ran, { stdout = [], files = [] } = {}) {
      learn()
      const secrets = [...known.values()]
      const but = (allowed: readonly (Secret | undefined)[]) =>
        secrets.filter((secret) => !allowed.some((other) => other?.equals(secret)))
      const environ = ['environ.verify', 'environ.exec', 'environ.program', 'argv']
      const [verify = '', exec = '', program = '', argv = ''] = await Promise.all(environ.map(readNote))
      // The verify command has the successor, and in one variable only.
      const withoutKey = verify.replaceAll(/^PICTIFY_API_KEY=.*$/gm, '')
      const ofChildren = ran.children.map(({ file, args, envPairs }) => {
        const mayHold = args.at(-1) === verifyCommand ? /^PICTIFY_API_KEY=/ : /^$/
        return [file, ...args, ...envPairs.filter((pair) => !mayHold.test(pair))].join('\n')
      })
      const inFiles = await findLeaksInFiles(home.directory, secrets, (file) =>
        [...holders, ...files].includes(file) ? secrets : [],
      )
      seen.runs += 1
      seen.characters += ran.stdout.length + ran.stderr.length
      seen.files += inFiles.files
      seen.children += ran.children.length
      await Promise.all(environ.map((name) => rm(path.join(notes, name), { force: true })))
      return [
        ...findLeaks('stdout', ran.stdout, but(stdout)),
        ...findLeaks('stderr', withoutMasks(ran.stderr, but([jobs])), secrets),
        ...ofChildren.flatMap((text) => findLeaks(`child ${text.split('\n')[0] ?? ''}`, text, secrets)),
        ...findLeaks('argv of a process', argv, secrets),
        ...findLeaks('environment of verify', withoutKey, secrets),
        ...findLeaks('environment of verify', verify, [sandbox.adminKey, old.secret]),
        ...findLeaks('environment of exec', exec, secrets),
        ...findLeaks(
          'environment of the program',
          program,
          but(secrets.filter((secret) => given.includes(secret.reveal()))),
        ),
        ...inFiles.leaks,
      ]
    },

    async end() {
      await sandbox.close()
      await home.remove()
      await rm(notes, { recursive: true })
    },
  }
}

/** The secrets of the lines by which the runner of GitHub Actions is told; it shows none of them. */
export function masksIn(stderr: string): string[] {
  return [...stderr.matchAll(/^::add-mask::(.*)$/gm)].map(([, value = '']) => value)
}

/** Without the lines that are nothing but the mask of one of these. */
function withoutMasks(stderr: string, allowed: readonly Secret[]): string {
  const masks = allowed.map((secret) => `::add-mask::${secret.reveal()}`)
  return stderr
    .split('\n')
    .filter((line) => !masks.includes(line))
    .join('\n')
}
