// How much memory it takes to go through a large account: 10,000 keys, and an audit log of five million events in a sandbox
// that works out each of them. One run each: they are long, and it is the peak that counts.
import { createInterface } from 'node:readline'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

const keys = 10_000
/** MB. */
const goal = 150

/** Most keys are older than that, and all that the API tells is read. */
const alerts = `version: 1
audit:
  workingHours: { days: Mon-Fri, from: '08:00', to: '18:00', timeZone: Europe/Berlin }
alerts:
  - { name: spike, when: spike }
  - { name: country, when: new-country }
  - { name: network, when: new-network }
  - { name: night, when: outside-hours }
  - { name: too-old, when: too-old, after: 1d }
`

/**
 * @param {{
 *   cli: string, preload: string, folder: string, env: Record<string, string | undefined>, events: number,
 *   start: (args: string[], options: object) => import('node:child_process').ChildProcess,
 *   report: (name: string, figures: string[], value: number, goal: number) => boolean,
 * }} bench
 */
export async function scale(bench) {
  const { cli, events, report } = bench
  const server = bench.start(
    [cli, 'sandbox', '--plan', 'enterprise', '--keys', String(keys), '--events', String(events), '--json'],
    { env: bench.env, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const { url, adminKey } = JSON.parse(await firstLine(server))
  const env = { ...bench.env, PICTIFY_API_URL: url, PICTIFY_ADMIN_KEY: adminKey }
  const all = events.toLocaleString('en-US')
  const file = path.join(bench.folder, 'alerts.yaml')
  await writeFile(file, alerts)
  const met = []
  for (const { name, args, check, exit } of [
    {
      name: `usage --json, ${keys.toLocaleString('en-US')} keys`,
      args: ['usage', '--json'],
      check: ({ text }) => JSON.parse(text).usage.length > keys / 2,
    },
    {
      name: `audit --json, ${all} events`,
      args: ['audit', '--json', '--fail-on', 'never'],
      check: ({ text }) => {
        const { active, revoked } = JSON.parse(text).summary.keys
        return active + revoked > keys
      },
    },
    {
      name: `alerts check --json, ${all} events`,
      args: ['alerts', 'check', '--json', '--config', file],
      exit: 10,
      check: ({ text }) => JSON.parse(text).summary.firing > keys / 2,
    },
    {
      name: `logs --format ndjson, ${all} events`,
      args: ['logs', '--format', 'ndjson'],
      // what the bench itself asked is in the log too: three times the keys, and twice the log, a hundred at a time
      check: ({ lines }) => lines >= events && lines < events + 3 * keys + 0.03 * events,
    },
  ]) {
    const ran = await run(bench, [cli, ...args, '--quiet'], env, { keep: args[0] !== 'logs', exit })
    if (!check(ran)) throw new Error(`${args.join(' ')} printed something else: ${ran.lines} lines`)
    const figures = [`${ran.mb.toFixed(0)} MB`, '', '', `${(ran.ms / 1_000).toFixed(0)} s`]
    met.push(report(`${name}: peak memory`, figures, ran.mb, goal))
  }
  server.kill()
  return met.every(Boolean)
}

/** Reads what it prints as fast as it comes; of what is too long to keep, the lines are counted. */
async function run({ start, preload, folder }, args, env, { keep, exit = 0 }) {
  const file = path.join(folder, 'memory')
  const from = process.hrtime.bigint()
  const child = start(['--require', preload, ...args], {
    env: { ...env, BENCH_MEMORY: file },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const parts = []
  let lines = 0
  child.stdout.on('data', (chunk) => {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1
    if (keep) parts.push(chunk)
  })
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== exit) throw new Error(`${args.join(' ')} ended with ${code}`)
  const ms = Number(process.hrtime.bigint() - from) / 1e6
  const text = parts.map(String).join('')
  return { lines, text, ms, mb: Number(await readFile(file, 'utf8')) / 1024 }
}

function firstLine(child) {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`the sandbox ended with ${code}`)))
  })
}
