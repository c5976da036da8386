// The main job on a machine of its own: a key is rotated while a service uses it, and the service is not refused once.
// Everything here is what a user would run: the sandbox, the service and the CLI are processes, and talk over HTTP.
import { fork, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'

const name = 'Production Server'
const propagationMs = 2_000
const limitMs = 60_000
const enoughRequests = 200

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = path.join(root, 'bin/pictify-keys.js')
const consumerScript = path.join(root, 'scripts/demo-consumer.js')
const startedAt = Date.now()
const children = new Set()
let folder

function say(text = '') {
  console.log(text)
}

/** A child that is ended with us; what it writes to stderr is shown, indented. */
function start(args, env) {
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  keep(child)
  createInterface({ input: child.stderr }).on('line', (line) => say(`  ${line}`))
  return child
}

function keep(child) {
  children.add(child)
  child.once('exit', () => children.delete(child))
}

/** Runs the CLI to its end; what it wrote to stdout. */
async function run(args, env) {
  const child = start([cli, ...args], env)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`pictify-keys ${args[0]} ended with ${code}`)
  return output
}

async function startSandbox(env) {
  const options = [
    '--port',
    '0',
    '--plan',
    'enterprise',
    '--propagation',
    `${propagationMs}ms`,
    '--usage-lag',
    '0s',
  ]
  const child = start([cli, 'sandbox', '--json', ...options], env)
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)))
    child.once('error', reject).once('exit', (code) => reject(new Error(`the sandbox ended with ${code}`)))
  })
}

/** The service: what it has seen so far, and a way to end it and hear the last of it. */
function startConsumer(env) {
  const child = fork(consumerScript, { cwd: folder, env })
  keep(child)
  const consumer = { seen: { sent: 0 } }
  const ended = new Promise((resolve, reject) => {
    child.on('message', (seen) => {
      consumer.seen = seen
      if (seen.final) resolve(seen)
    })
    child.once('exit', () => reject(new Error('the consumer ended by itself')))
  })
  ended.catch(() => undefined)
  consumer.stop = () => {
    child.send('stop')
    return ended
  }
  consumer.hasSent = async (count) => {
    while (consumer.seen.sent < count) await Promise.race([delay(50), ended])
  }
  return consumer
}

async function render(url, secret) {
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
  const answer = await fetch(`${url}/image`, { method: 'POST', headers, body: '{"html":"<p>demo</p>"}' })
  await answer.arrayBuffer()
  return answer.status
}

/** Nothing of the user's is read or written: no profile, no journal, no proxy between us and our own sandbox. */
function isolated() {
  const home = path.join(folder, 'home')
  const own = Object.entries(process.env).filter(
    ([key]) => !/^(PICTIFY_|XDG_|https?_proxy$|all_proxy$)/i.test(key),
  )
  return {
    ...Object.fromEntries(own),
    HOME: home,
    USERPROFILE: home,
    APPDATA: home,
    LOCALAPPDATA: home,
    PICTIFY_KEYS_STATE_DIR: path.join(folder, 'state'),
  }
}

async function demo() {
  if (!existsSync(path.join(root, 'dist/main.js'))) throw new Error('dist/ is not built: run npm ci first')
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-demo-'))
  const bare = isolated()
  await mkdir(bare.HOME)
  const envFile = path.join(folder, '.env')
  writeFileSync(envFile, '# the service reads its key here\nPORT=8080\n', { mode: 0o600 })
  const held = () => parseEnv(readFileSync(envFile, 'utf8')).PICTIFY_API_KEY
  const to = 'env:.env#PICTIFY_API_KEY'

  const { url, adminKey } = await startSandbox(bare)
  const env = { ...bare, PICTIFY_API_URL: url, PICTIFY_ADMIN_KEY: adminKey }
  say(`a sandbox runs at ${url}; a new key takes ${propagationMs / 1_000}s to be accepted everywhere`)
  await run(['create', name, '--type', 'live', '--to', to], env)
  const oldSecret = held()
  // This key is new itself: the service starts when it has spread.
  await delay(propagationMs + 500)

  const consumer = startConsumer({ ...bare, PICTIFY_API_URL: url, ENV_FILE: envFile })
  await consumer.hasSent(enoughRequests)
  say(`a service renders with the key in .env, several requests at a time, reading .env before each`)
  say(`\n$ pictify-keys rotate "${name}" --to ${to} --verify … --settle 3s --usage-lag 1s --idle 2s`)
  const rotatedAt = Date.now()
  const verify = `"${process.execPath}" "${consumerScript}" --once`
  const waits = ['--settle', '3s', '--usage-lag', '1s', '--idle', '2s']
  say((await run(['rotate', name, '--to', to, '--verify', verify, ...waits], env)).replace(/^(?=.)/gm, '  '))

  // It goes on for a while without the old key.
  await consumer.hasSent(consumer.seen.sent + enoughRequests)
  const seen = await consumer.stop()
  const oldStatus = await render(url, oldSecret)
  const newStatus = await render(url, held())
  const { apiKeys } = JSON.parse(await run(['list', '--json'], env))
  const active = apiKeys.filter((key) => key.status === 'active' && key.name === name)
  const strays = apiKeys.filter((key) => key.name !== name && key.name.startsWith(name))
  return { seen, rotatedAt, oldStatus, newStatus, active, strays, switched: held() !== oldSecret }
}

/** Prints what the service saw; the promises that were not kept. */
function conclude({ seen, rotatedAt, oldStatus, newStatus, active, strays, switched }) {
  const [before, after] = seen.keys
  const when = seen.switchedAt && `${((seen.switchedAt - rotatedAt) / 1_000).toFixed(1)}s into the rotation`
  say('what the service saw:')
  say(`  requests sent      ${seen.sent}`)
  say(`  requests refused   ${seen.refused}`)
  say(`  without an answer  ${seen.unanswered}`)
  say(
    `  switched           ${when ?? 'never'} (${before?.requests} with the old key, ${after?.requests ?? 0} with the new one)`,
  )
  say(`  the old key now    ${oldStatus === 401 ? 'refused' : `answered with ${oldStatus}`}`)
  say(`  the new key now    ${newStatus === 200 ? 'accepted' : `answered with ${newStatus}`}`)
  say(`  active keys named "${name}": ${active.length}`)
  const promises = {
    'no request is refused': seen.refused === 0 && seen.accepted + seen.unanswered === seen.sent,
    'every request is answered': seen.unanswered === 0,
    'the service switches to the new key': switched && seen.keys.length === 2,
    'the service is busy with both keys': seen.keys.every(({ requests }) => requests >= enoughRequests),
    'the old key is refused': oldStatus === 401,
    'the new key is accepted': newStatus === 200,
    'one active key of that name is left': active.length === 1 && strays.length === 0,
    [`it takes less than ${limitMs / 1_000}s`]: Date.now() - startedAt < limitMs,
  }
  const broken = Object.keys(promises).filter((promise) => !promises[promise])
  const took = `${((Date.now() - startedAt) / 1_000).toFixed(1)}s`
  if (broken.length === 0) return say(`\nrotated under live traffic, 0 refused, in ${took}`)
  const statuses = JSON.stringify(seen.statuses)
  throw new Error(`this does not hold: ${broken.join('; ')} (answers other than 200: ${statuses}; ${took})`)
}

/** Ends what was started and removes what was made; everything there was temporary. */
async function cleanUp() {
  const running = [...children]
  await Promise.all(
    running.map(async (child) => {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 2_000)
      await exited
      late.close()
    }),
  )
  if (folder !== undefined) await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

/** Resolves to the signal, if one comes. */
const interrupted = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve(signal))
})
const tooLong = delay(limitMs + 30_000, undefined, { ref: false }).then(() => {
  throw new Error(`it is not over after ${(limitMs + 30_000) / 1_000}s`)
})

let signal
try {
  const result = await Promise.race([demo(), tooLong, interrupted])
  if (typeof result === 'string') signal = result
  else conclude(result)
} catch (error) {
  console.error(`\nthe demo failed: ${error.message}`)
  process.exitCode = 1
} finally {
  await cleanUp()
}
// Died of it, as the caller expects; the listener was for the first one only.
if (signal) process.kill(process.pid, signal)
else process.exit()
