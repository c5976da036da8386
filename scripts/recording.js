// docs/guide.svg: the guide of `rotate` as a person sees it. The real program on a real terminal, against a sandbox, beside
// a service that goes on using the key.
import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseEnv, promisify } from 'node:util'
import { film } from './recording-screen.js'
import { renderSvg } from './recording-svg.js'

const size = { columns: 92, rows: 30 }
const root = fileURLToPath(new URL('..', import.meta.url))
const cli = path.join(root, 'bin/pictify-keys.js')
const picture = path.join(root, 'docs/guide.svg')
const enter = '\r'
/** The waits of a real account are minutes. */
const line = 'pictify-keys rotate --settle 5s --idle 4s --usage-lag 1s'

/** What is asked, and what is typed then. */
const conversation = [
  ['Which key is to be rotated?', [...'prod']],
  ['Production Server', [enter]],
  ['Where does the application find it?', [enter]],
  ['How is it seen that the application works', [enter]],
  ['When may the old key go?', [enter]],
  ['now?', ['y', enter]],
]

const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-recording-'))
const sandbox = spawn(
  process.execPath,
  [cli, 'sandbox', '--json', '--propagation', '2s', '--plan', 'business'],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
)
let isUsed = true
try {
  const frames = await record()
  const svg = renderSvg(frames, {
    ...size,
    title: 'pictify-keys rotate: the guide',
    description:
      'A terminal: rotate asks which key, where the application finds it, how to see that it works and when the old key may go, shows the plan, and rotates the key while both keys are watched.',
  })
  await writeFile(picture, svg)
  console.log(
    `${path.relative(root, picture)}: ${frames.length} frames, ${Math.round(svg.length / 1_024)} KiB`,
  )
} finally {
  isUsed = false
  sandbox.kill()
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

async function record() {
  if (!existsSync(path.join(root, 'dist/main.js'))) throw new Error('dist/ is not built: run npm ci first')
  const { url, adminKey } = await new Promise((resolve, reject) => {
    createInterface({ input: sandbox.stdout }).once('line', (text) => resolve(JSON.parse(text)))
    sandbox.once('exit', (code) => reject(new Error(`the sandbox ended with ${code}`)))
  })
  const project = await furnish()
  const env = {
    PATH: `${path.join(folder, 'bin')}:${process.env.PATH}`,
    HOME: project,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    PS1: '$ ',
    XDG_CONFIG_HOME: path.join(folder, 'config'),
    PICTIFY_KEYS_STATE_DIR: path.join(folder, 'state'),
  }
  const run = (...args) => promisify(execFile)(process.execPath, [cli, ...args], { cwd: project, env })
  await signIn(env, url, adminKey)
  for (const [name, type] of [
    ['Staging', 'test'],
    ['Newsletter', 'live'],
  ])
    await run('create', name, '--type', type, '--to', `file:${path.join(folder, name)}`)
  await run('create', 'Production Server', '--type', 'live', '--to', 'env:.env#PICTIFY_API_KEY')
  const service = serve(url, path.join(project, '.env'))

  const screen = film({ file: 'bash', args: ['--norc', '--noprofile'], cwd: project, env, ...size })
  await screen.until('$')
  await delay(600)
  await screen.type([...line], 45)
  await screen.type([enter])
  for (const [question, keys] of conversation) {
    await screen.until(question)
    await delay(1_200)
    await screen.type(keys, 160)
  }
  await screen.until(/the same without questions:[^]*\n\$\s*$/)
  await delay(500)
  isUsed = false
  await service
  return screen.end()
}

/** As a person does once: so the line at the end need not say which API is meant. */
async function signIn(env, url, adminKey) {
  const login = promisify(execFile)(process.execPath, [cli, 'login', '--store', 'file', '--api-url', url], {
    env,
  })
  login.child.stdin.end(adminKey)
  await login
}

/** A project with a key's place and a smoke test; the program is on the path of its shell. */
async function furnish() {
  const project = path.join(folder, 'shop')
  const programs = path.join(folder, 'bin')
  await mkdir(project)
  await mkdir(programs)
  await symlink(cli, path.join(programs, 'pictify-keys'))
  await writeFile(path.join(project, '.env'), 'PORT=8080\n', { mode: 0o600 })
  const test = path.join(project, 'smoke-test.sh')
  await writeFile(test, '#!/bin/sh\necho "rendered https://example.com: 200"\ntest -n "$PICTIFY_API_KEY"\n')
  await chmod(test, 0o755)
  return project
}

/** The service, which reads its key before each request. */
async function serve(url, file) {
  while (isUsed) {
    const { PICTIFY_API_KEY: key } = parseEnv(readFileSync(file, 'utf8'))
    const answer = await fetch(`${url}/templates?limit=1`, { headers: { authorization: `Bearer ${key}` } })
    await answer.arrayBuffer()
    await delay(150)
  }
}
