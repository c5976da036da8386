// How long whole processes take, as ratios: both sides run in turn, so that what the machine does meanwhile meets both.
//   npm run bench -- [--strict] [--rounds <n>] [--only speed|scale] [--events <n>]
// Goals that are missed are marked; with --strict they also make the exit code 1.
// Node's own variables are part of the floor: NODE_EXTRA_CA_CERTS alone can treble `node -e 0`, and hides what is ours in
// it. So all is measured without them, and where some are set, once more with them, as this machine really is.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { scale } from './bench-scale.js'

const { values } = parseArgs({
  options: {
    strict: { type: 'boolean' },
    rounds: { type: 'string', default: '15' },
    only: { type: 'string' },
    events: { type: 'string', default: '5000000' },
  },
})
if (![undefined, 'speed', 'scale'].includes(values.only)) throw new Error('--only takes speed or scale')
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number, 1 or more')

const at = (file) => fileURLToPath(new URL(`../${file}`, import.meta.url))
const cli = at('bin/pictify-keys.js')
const empty = { name: 'node -e 0', args: ['-e', '0'] }
const children = new Set()
let folder

function start(args, options) {
  const child = spawn(process.execPath, args, { cwd: folder, ...options })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Milliseconds from the start of a process to its end. */
async function time({ args }, env) {
  const from = process.hrtime.bigint()
  const child = start(args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve))
  const ms = Number(process.hrtime.bigint() - from) / 1e6
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return ms
}

/** What a process writes to stdout: a fast program that writes the wrong thing is not fast. */
async function output({ args }, env) {
  const child = start(args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk))
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  return text
}

function completing(line) {
  return [cli, '__complete', 'bash', '--', line, line.slice(line.lastIndexOf(' ') + 1)]
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

async function compare({ ours, theirs, goal, env, times = rounds }) {
  await time(ours, env)
  await time(theirs, env)
  const pairs = []
  // Which side goes first changes each round: the first may find the caches colder.
  for (let round = 0; round < times; round++) {
    const pair = {}
    for (const side of round % 2 ? ['theirs', 'ours'] : ['ours', 'theirs']) {
      pair[side] = await time(side === 'ours' ? ours : theirs, env)
    }
    pairs.push(pair)
  }
  const ratios = pairs.map((pair) => pair.ours / pair.theirs)
  const of = (side) => `${median(pairs.map((pair) => pair[side])).toFixed(0)} ms`
  const ratio = median(ratios)
  const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`
  return report(
    `${ours.name} / ${theirs.name}`,
    [of('ours'), of('theirs'), ratio.toFixed(2), range],
    ratio,
    goal,
  )
}

/** The most memory it had at any time, in MB; the largest of three runs. */
async function peakMemory({ ours, goal, env }) {
  const file = path.join(folder, 'memory')
  let most = 0
  for (let run = 0; run < 3; run++) {
    const args = ['--require', at('scripts/bench-memory.cjs'), ...ours.args]
    await time({ args }, { ...env, BENCH_MEMORY: file })
    most = Math.max(most, Number(await readFile(file, 'utf8')) / 1024)
  }
  return report(`${ours.name}: peak memory`, [`${most.toFixed(0)} MB`, '', '', ''], most, goal)
}

const widths = [54, 9, 9, 6, 11]
function row(cells) {
  return cells
    .map((cell, index) => (index === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[index] ?? 0)))
    .join('  ')
}

function report(name, figures, value, goal) {
  const met = value <= goal
  console.log(row([name, ...figures, `goal ${goal}`.padEnd(10), met ? 'met' : 'MISSED']))
  return met
}

async function startServer(keys) {
  const child = start([at('scripts/bench-server.js'), String(keys)], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
}

async function bench() {
  if (!existsSync(at('dist/main.js'))) throw new Error('dist/ is not built: run npm ci first')
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-bench-'))
  const own = { HOME: folder, USERPROFILE: folder, APPDATA: folder, LOCALAPPDATA: folder }
  const without = (names) => ({
    ...Object.fromEntries(Object.entries(process.env).filter(([key]) => !names.test(key))),
    ...own,
  })
  const bare = without(/^(PICTIFY_|XDG_|NODE_|https?_proxy$|all_proxy$)/i)
  const asItIs = without(/^(PICTIFY_|XDG_|https?_proxy$|all_proxy$)/i)
  const nodes = Object.keys(asItIs).filter((key) => !(key in bare))
  const environments = [{ name: "without Node's own variables", env: bare }]
  if (nodes.length > 0) environments.push({ name: `with ${nodes.join(', ')}`, env: asItIs })

  console.log(
    `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}; ${rounds} rounds; whole processes, wall time\n`,
  )
  const fast = values.only === 'scale' || (await speed(environments, bare))
  if (values.only === 'speed') return fast
  const events = Number(values.events)
  const preload = at('scripts/bench-memory.cjs')
  return (await scale({ cli, preload, folder, env: bare, events, start, report })) && fast
}

async function speed(environments, bare) {
  const [few, many] = [await startServer(100), await startServer(100_000)]
  const against = (url, env) => ({
    ...env,
    PICTIFY_API_URL: url,
    PICTIFY_ADMIN_KEY: 'pk_live_bench0123456789',
  })

  const version = { name: '--version', args: [cli, '--version'] }
  const help = { name: '--help', args: [cli, '--help'] }
  const json = { name: 'list --json, 100 keys', args: [cli, 'list', '--json'] }
  const ndjson = { name: 'list --format ndjson, 100,000 keys', args: [cli, 'list', '--format', 'ndjson'] }
  const flags = { name: 'completion of a flag', args: completing('pictify-keys list --un') }
  const keys = { name: 'completion of a key, 100 keys', args: completing('pictify-keys show ') }
  const undici = { name: 'bare undici', args: [at('scripts/bench-fetch.js')] }

  const completed = (await output(keys, against(few, bare))).trimEnd().split('\n').length - 1
  if (completed !== 100) throw new Error(`completed ${completed} keys`)
  const listed = JSON.parse(await output(json, against(few, bare))).apiKeys.length
  const lines = new Set((await output(ndjson, against(many, bare))).trimEnd().split('\n'))
  if (listed !== 100 || lines.size !== 100_000) throw new Error(`listed ${listed} and ${lines.size} keys`)

  const met = []
  for (const { name, env } of environments) {
    console.log(row([name, 'ours', 'theirs', 'ratio', 'range']))
    met.push(
      await compare({ ours: version, theirs: empty, goal: 1.15, env }),
      await compare({ ours: help, theirs: empty, goal: 1.15, env }),
      await compare({ ours: json, theirs: empty, goal: 1.9, env: against(few, env) }),
      // what a person waits for at every Tab
      await compare({ ours: flags, theirs: empty, goal: 1.6, env }),
      await compare({ ours: keys, theirs: empty, goal: 1.8, env: against(few, env) }),
      await compare({
        ours: ndjson,
        theirs: undici,
        goal: 1.3,
        env: against(many, env),
        times: Math.ceil(rounds / 3),
      }),
      await peakMemory({ ours: ndjson, goal: 110, env: against(many, env) }),
    )
    console.log()
  }
  return met.every(Boolean)
}

let signal
try {
  const interrupted = new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => resolve(name))
  })
  const result = await Promise.race([bench(), interrupted])
  if (typeof result === 'string') signal = result
  else if (!result && values.strict) process.exitCode = 1
} catch (error) {
  console.error(`the benchmark failed: ${error.message}`)
  process.exitCode = 1
} finally {
  for (const child of children) child.kill('SIGKILL')
  if (folder !== undefined) await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}
if (signal) process.kill(process.pid, signal)
else process.exit()
