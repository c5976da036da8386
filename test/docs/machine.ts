// A machine on which the commands of a document are run, in real shells, and the account that it works on.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/server.ts'
import type { SecretService } from '../credentials/secret-service.ts'
import { keyboard, openScreen, type Screen } from '../cli/screen.ts'
import { writeProgram } from './program-file.ts'

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
export const columns = 110

/** The waits of a real account, shortened where a line does not say otherwise: `hurry`. */
const hurried = ['--settle 200ms', '--idle 0s', '--usage-lag 0s']

export interface Done {
  /** What a person sees of it when it has ended, or what it wrote to either stream. */
  printed: string
  exit: number
  /** What stood on the screen when `shot` was in `keys`. */
  shot?: string | undefined
}

export interface Machine {
  sandbox: Sandbox
  keychain: SecretService | undefined
  /** The folder that commands run in, at first. */
  folder: string
  /** Runs a command; what it exports and where it goes is kept for the next. `typed` are the lines of `keys`. */
  run(command: string, how?: { terminal?: boolean; typed?: string[] }): Promise<Done>
  /** Starts one that goes on; resolves when it has printed this. */
  start(command: string, until: string): Promise<string>
  /** Starts one at a terminal of its own; resolves to what stands there when that is this many lines. */
  show(command: string, lines: number): Promise<string>
  setVariable(name: string, value: string): Promise<void>
  hurry(): void
  /** The account of another team, with a key in it. */
  openAccount(): Promise<Sandbox>
  /** Another machine from here on, with the same files to work in. */
  move(name: string): Promise<void>
  /** Something at the place of the API that gives this one answer. */
  answer(status: number, body: string): Promise<void>
  /** What was printed, without what differs from machine to machine. */
  plain(text: string): string
  end(): Promise<void>
}

export async function openMachine(options: SandboxOptions, keychain?: SecretService): Promise<Machine> {
  const root = await mkdtemp(path.join(tmpdir(), 'pictify-keys-docs-'))
  const sandbox = await createSandbox({ propagationMs: 0, ...options })
  const state = path.join(root, 'state.sh')
  const where = path.join(root, 'where')
  const tools = path.join(root, 'tools')
  const children: ChildProcess[] = []
  const others: Sandbox[] = []
  const servers: Server[] = []
  const screens: Screen[] = []
  let home = ''
  let isHurried = false
  let last = 0

  await mkdir(tools)
  const program = path.join(tools, 'pictify-keys')
  const waits = hurried.map((flag) => {
    const [name = ''] = flag.split(' ')
    return `case "$*" in *${name}*) ;; *) set -- "$@" ${flag} ;; esac`
  })
  const hurry = `if [ -n "$DOCS_HURRY" ] && [ "$1" = rotate ]; then\n${waits.join('\n')}\nfi`
  await writeProgram(
    program,
    `#!/bin/sh\n${hurry}\nunset DOCS_HURRY\nexec "${process.execPath}" "${bin}" "$@"\n`,
  )

  const exported = async (variables: Record<string, string>) => {
    const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`)
    await writeFile(state, lines.join(''), { flag: 'a', mode: 0o600 })
  }
  async function move(name: string): Promise<void> {
    home = path.join(root, name)
    await mkdir(home)
    await exported({
      HOME: home,
      XDG_CONFIG_HOME: path.join(home, '.config'),
      XDG_DATA_HOME: path.join(home, '.local/share'),
    })
  }
  await move('you')
  await exported({ PICTIFY_API_URL: sandbox.url, PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal() })
  const folder = path.join(home, 'app')
  await mkdir(folder)
  await writeFile(where, folder)

  /**
   * A shell that begins where the one before it ended. A terminal forgets what nobody has read yet when the first of its
   * programs ends: that one waits a little.
   */
  const shell = (command: string): string =>
    [
      `. '${state}'`,
      `cd "$(cat '${where}')" || exit`,
      `trap 'code=$?; export -p > '\\''${state}'\\''; pwd > '\\''${where}'\\''; [ -t 1 ] && sleep 0.1; exit $code' EXIT`,
      `(exit ${last})`,
      command,
    ].join('\n')
  const env = () => ({
    PATH: `${tools}:${process.env['PATH'] ?? ''}`,
    LANG: 'C.UTF-8',
    // whoever runs the tests may have a keychain, and it is theirs
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/dev/null/none',
    ...keychain?.env,
    ...(isHurried && { DOCS_HURRY: '1' }),
  })
  const words = (command: string) => ['bash', '--noprofile', '--norc', '-c', shell(command)] as const

  const terminal = (command: string): Screen => {
    const how = { columns, rows: 40, command: words(command), env: { ...env(), TERM: 'xterm-256color' } }
    return openScreen({ directory: root, env: {} }, [], how)
  }

  async function atTerminal(command: string, typed: string[]): Promise<Done> {
    const screen = terminal(command)
    let shot: string | undefined
    for (const line of typed) {
      const [, act, text = ''] = /^(until|type|key|shot) ?(.*)$/.exec(line) ?? []
      if (act === 'until')
        await within(screen.until(text), () => `"${text}" does not come:\n${screen.text()}`)
      else if (act === 'shot') shot = screen.text()
      else if (act === 'type') screen.type(text)
      else if (act === 'key') screen.type(keyboard[text as keyof typeof keyboard])
      else throw new Error(`no such key: ${line}`)
    }
    const { exit, signal } = await within(screen.ended, () => `it does not end:\n${screen.text()}`)
    return { printed: screen.written(), exit: exit ?? 128 + (signal ?? 0), shot }
  }

  function byProgram(command: string): { child: ChildProcess; done: Promise<Done>; printed: () => string } {
    const [file, ...rest] = words(command)
    // a group of its own, so that the shell's program can be ended with it
    const child = spawn(file, rest, {
      cwd: root,
      env: env(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
    }
    const done = new Promise<Done>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exit) => resolve({ printed: printed.trimEnd(), exit: exit ?? 128 }))
    })
    return { child, done, printed: () => printed }
  }

  return {
    sandbox,
    keychain,
    folder,
    move,
    hurry: () => void (isHurried = true),
    async openAccount() {
      const other = await createSandbox({ seed: 9 + others.length, keys: 1 })
      others.push(other)
      return other
    },
    setVariable: (name, value) => exported({ [name]: value }),

    async run(command, { terminal = false, typed = [] } = {}) {
      const done = terminal ? await atTerminal(command, typed) : await byProgram(command).done
      last = done.exit
      return done
    },

    async start(command, until) {
      const { child, done, printed } = byProgram(command)
      children.push(child)
      let over: Done | undefined
      void done.then((ended) => (over = ended))
      while (!printed().includes(until)) {
        if (over) throw new Error(`it ended with ${over.exit} before "${until}": ${over.printed}`)
        await sleep(20)
      }
      return printed().trimEnd()
    },

    async show(command, lines) {
      const screen = terminal(command)
      screens.push(screen)
      while (screen.written().split('\n').length < lines) {
        const over = await Promise.race([screen.ended.then(() => true), sleep(20, false)])
        if (over) throw new Error(`it ended: ${screen.written()}`)
      }
      return screen.written()
    },

    async answer(status, body) {
      const server = createServer((_, response) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(body)
      })
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      await exported({ PICTIFY_API_URL: `http://127.0.0.1:${port}` })
    },

    plain: (text) =>
      text
        .replaceAll(path.join(root, 'you'), '/home/you')
        .replaceAll(root, '/home')
        .replaceAll(hostname(), 'laptop')
        .replace(/\r/g, ''),

    async end() {
      for (const child of children) endGroup(child)
      for (const screen of screens) screen.kill('SIGTERM')
      await Promise.all(screens.map(({ ended }) => ended))
      for (const server of servers) server.close().closeAllConnections()
      await Promise.all([sandbox, ...others].map((each) => each.close()))
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** What a person would wait for at most. */
async function within<T>(promise: Promise<T>, told: () => string): Promise<T> {
  const over = new AbortController()
  const limit = sleep(45_000, undefined, { signal: over.signal }).then(() => {
    throw new Error(told())
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    over.abort()
    limit.catch(() => undefined)
  }
}

/** The secret in a file that an application reads. */
export async function secretIn(machine: Machine, file: string): Promise<string> {
  const text = await readFile(path.join(machine.folder, file), 'utf8')
  return /pk_(?:live|test)_\w+/.exec(text)?.[0] ?? ''
}

/** Ends what a shell has started with it. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // it has ended by itself
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
