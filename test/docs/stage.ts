// What is so before a command of a document is run: the lines of its `stage` comments.
import { appendFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseDuration } from '../../src/duration.ts'
import type { SandboxOptions } from '../../src/sandbox/server.ts'
import { bind, type Bindings, withRealIds } from './comparison.ts'
import { type Machine, secretIn } from './machine.ts'

/** How the account is made, of all lines of a session. */
export function sandboxOptions(lines: readonly string[]): SandboxOptions {
  const valueOf = (word: string) => lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1)
  const [plan, propagation, lag, keys, without] = ['plan', 'propagation', 'lag', 'keys', 'without'].map(
    valueOf,
  )
  return {
    seed: 8,
    ...(plan !== undefined && { plan: plan as NonNullable<SandboxOptions['plan']> }),
    ...(propagation !== undefined && { propagationMs: parseDuration(propagation) }),
    ...(lag !== undefined && { usageLagMs: parseDuration(lag) }),
    ...(keys !== undefined && { keys: Number(keys) }),
    ...(without !== undefined && {
      without: without.split(' ') as NonNullable<SandboxOptions['without']>,
    }),
  }
}

/** Makes each line so, in their order. */
export async function stage(machine: Machine, lines: readonly string[], bindings: Bindings): Promise<void> {
  for (const line of lines) {
    const [, word = '', text = ''] = /^(\S+) ?(.*)$/.exec(line) ?? []
    const act = acts[word]
    if (act === undefined) throw new Error(`no such line of a stage: ${line}`)
    await act(machine, withRealIds(text, bindings), bindings)
  }
}

type Act = (machine: Machine, text: string, bindings: Bindings) => Promise<void> | void

const acts: Record<string, Act> = {
  // of the account itself, see above
  plan: () => undefined,
  propagation: () => undefined,
  lag: () => undefined,
  keys: () => undefined,
  without: () => undefined,

  hurry: (machine) => machine.hurry(),
  home: (machine, name) => machine.move(name),
  fault: (machine, spec) => void machine.sandbox.addFault(spec),
  faultless: (machine) => machine.sandbox.clearFaults(),

  async answer(machine, text) {
    const [, status, body = ''] = /^(\d+) (.*)$/.exec(text) ?? []
    await machine.answer(Number(status), body)
  },

  // the keychain: its entry for a profile is another program's (`entry <profile> <text>`), or no text
  lock: (machine) => machine.keychain?.lock(),
  window: (machine) => machine.keychain?.hideWindow(),
  async entry(machine, text) {
    const [profile = '', value = ''] = text.split(' ')
    await machine.keychain?.store(profile, value)
  },
  spoil: (machine, profile) => machine.keychain?.storeBytes(profile, Buffer.from([0xff, 0xfe])),

  async run(machine, command) {
    const { exit, printed } = await machine.run(command)
    if (exit !== 0) throw new Error(`${command} ended with ${exit}: ${printed}`)
  },

  /** `background <command> until <text>` */
  async background(machine, text) {
    const [, command = '', until = ''] = /^(.*) until (.*)$/.exec(text) ?? []
    await machine.start(command, until)
  },

  /** `until <text> in <command>` */
  async until(machine, text) {
    const [, wanted = '', command = ''] = /^(.*) in (.*)$/.exec(text) ?? []
    while (!(await machine.run(command)).printed.includes(wanted)) await sleep(50)
  },

  /** `key "<name>" [as <id>] [type test] [access read-only] [to <file>[#<variable>]] [created <ago>] [used <ago>]` */
  async key(machine, text, bindings) {
    const { name, options } = keyOf(text)
    const now = Date.now()
    const ago = (span: string | undefined) => (span === undefined ? undefined : now - parseDuration(span))
    const createdAt = ago(options.get('created'))
    const lastUsedAt = ago(options.get('used'))
    const made = machine.sandbox.dashboard.create({
      name,
      type: options.get('type') === 'test' ? 'test' : 'live',
      access: options.get('access') === 'read-only' ? 'read-only' : 'full',
      ...(createdAt !== undefined && { createdAt }),
      ...(lastUsedAt !== undefined && { lastUsedAt }),
    })
    const id = options.get('as')
    if (id !== undefined) bind(bindings, id, made.id)
    const place = options.get('to')
    if (place === undefined) return
    const [file = '', variable = 'PICTIFY_API_KEY'] = place.split('#')
    const full = path.resolve(machine.folder, file)
    await mkdir(path.dirname(full), { recursive: true })
    await appendFile(full, `${variable}=${made.secret.reveal()}\n`, { mode: 0o600 })
  },

  /** Another admin key takes the place of the one in use. */
  async admin(machine, text) {
    const { secret } = machine.sandbox.dashboard.create({ name: keyOf(text).name, access: 'admin' })
    await machine.setVariable('PICTIFY_ADMIN_KEY', secret.reveal())
  },

  /** Another team: `account at <its address in the document> to <file of its admin key>`. */
  async account(machine, text, bindings) {
    const [, address = '', file = ''] = /^at (\S+) to (\S+)$/.exec(text) ?? []
    const { url, adminKey } = await machine.openAccount()
    bind(bindings, address, new URL(url).host)
    await appendFile(path.resolve(machine.folder, file), adminKey.reveal(), { mode: 0o600 })
  },

  /** Somebody else in the dashboard: `revoke <id>`, `delete <id>`. */
  revoke: (machine, id) => machine.sandbox.dashboard.revoke(id),
  delete: (machine, id) => machine.sandbox.dashboard.delete(id),

  /** An application renders with the key that it finds in a file: `use <file> [<n> times]`. */
  async use(machine, text) {
    const [, file = '', times = '1'] = /^(\S+)(?: (\d+) times)?$/.exec(text) ?? []
    const authorization = `Bearer ${await secretIn(machine, file)}`
    for (let count = 0; count < Number(times); count++) {
      await fetch(`${machine.sandbox.url}/templates?limit=1`, { headers: { authorization } })
    }
  },
}

function keyOf(text: string): { name: string; options: Map<string, string> } {
  const [, name = '', rest = ''] = /^"([^"]*)" ?(.*)$/.exec(text) ?? []
  const words = rest.split(' ')
  const pairs = words.flatMap((word, at): [string, string][] =>
    at % 2 === 0 ? [[word, words[at + 1] ?? '']] : [],
  )
  return { name, options: new Map(pairs) }
}
