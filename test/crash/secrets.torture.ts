import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import pMap from 'p-map'
import { describe, expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { filesUnder, modeOf } from './files.ts'
import { masksIn, watch, type Watched, type WatchedRun } from './watched.ts'

// Every way a rotation goes and every command, at every verbosity, and a rotation killed at every point: no secret is
// where it should not be, whole or in part.

const waits = ['--settle', '100ms', '--idle', '0s', '--usage-lag', '0s', '--wait', '20s']
const env = ['--to', 'env:.env']
/** Two processes run side by side, and mostly wait. */
const atOnce = { concurrency: 3 }

interface Verbosity {
  flags: string[]
  env: Record<string, string>
}
const verbosities: Record<string, Verbosity> = {
  plain: { flags: [], env: {} },
  quiet: { flags: ['-q'], env: {} },
  debug: { flags: ['--debug'], env: {} },
  'debug by its variable': { flags: [], env: { PICTIFY_DEBUG: '1' } },
  json: { flags: ['--json'], env: {} },
  'json and debug': { flags: ['--json', '--debug'], env: {} },
  coloured: { flags: ['--debug'], env: { FORCE_COLOR: '1' } },
  'Node’s own traces': {
    flags: ['--debug'],
    env: { NODE_DEBUG: 'http,https,net,tls,stream,fs,module,timer,crypto,undici,fetch,websocket,worker,dns' },
  },
  'GitHub Actions': { flags: ['--debug'], env: { GITHUB_ACTIONS: 'true', CI: 'true' } },
  'GitHub Actions and json': { flags: ['--json', '-q'], env: { GITHUB_ACTIONS: 'true', CI: 'true' } },
}

interface Session {
  watched: Watched
  /** Runs a line at the verbosity at hand, expects its exit and no leaks. */
  run: (exit: number | NodeJS.Signals, line: readonly string[], options?: Options) => Promise<WatchedRun>
}
type Options = NonNullable<Parameters<Watched['run']>[1]> & NonNullable<Parameters<Watched['leaks']>[1]>

const admin = ({ sandbox }: Watched) => sandbox.keys().find(({ access }) => access === 'admin')?.id ?? ''

/** The ways a rotation goes, and the other commands. */
const stories: Record<string, (session: Session) => Promise<void>> = {
  async done({ watched, run }) {
    const line = ['rotate', watched.old.id, ...env, '--to', 'file:secret.txt', ...waits]
    const more = [
      '--to',
      `exec:${watched.command('exec')}`,
      '--verify',
      watched.command('verify'),
      '--no-evidence',
    ]
    await run(0, [...line, ...more])
    await run(0, ['rotations', '--account'])
  },
  async 'a verify command that fails'({ watched, run }) {
    await run(6, ['rotate', watched.old.id, ...env, ...waits, '--verify', watched.command('verify', 3)])
    await run(0, ['rotations'])
  },
  async 'an exec target that fails'({ watched, run }) {
    await run(6, ['rotate', watched.old.id, ...env, '--to', `exec:${watched.command('exec', 3)}`, ...waits])
  },
  async 'an exec target that cannot be undone'({ watched, run }) {
    const line = ['rotate', watched.old.id, '--to', `exec:${watched.command('exec')}`, ...waits]
    await run(7, [...line, '--verify', watched.command('verify', 3)])
    const input = watched.old.secret.reveal()
    await run(6, [...line, '--verify', watched.command('verify', 3), '--old-secret-stdin'], { input })
  },
  async compromised({ watched, run }) {
    await run(0, [
      'rotate',
      watched.old.id,
      ...env,
      ...waits,
      '--compromised',
      '--verify',
      watched.command('verify'),
    ])
  },
  async 'self, from the environment'({ watched, run }) {
    await run(0, ['rotate', admin(watched), '--self', '--to', 'file:admin.txt', ...waits])
  },
  async 'self, from the profile'({ watched, run }) {
    const signedOut = { PICTIFY_ADMIN_KEY: undefined }
    const input = watched.sandbox.adminKey.reveal()
    await run(0, ['login', '--store', 'file'], { input, env: signedOut })
    await run(0, ['rotate', admin(watched), '--self', ...waits], { env: signedOut })
    await run(0, ['status'], { env: signedOut })
    await run(0, ['logout', '--yes'], { env: signedOut })
  },
  async 'left open, seen, aborted'({ watched, run }) {
    await run(5, ['rotate', watched.old.id, ...env, ...waits, '--overlap', '24h', '--wait', '0s'])
    await run(0, ['rotations', '--open'])
    await run(0, ['status'])
    await run(0, ['rotate', '--abort', ...waits])
  },
  async 'left open, gone on with on another machine'({ watched, run }) {
    const line = ['rotate', watched.old.id, ...env, ...waits]
    await run(5, [...line, '--overlap', '24h', '--wait', '0s'])
    await rm(watched.home.stateDir, { recursive: true })
    await run(0, [...line, '--verify', watched.command('verify')])
  },
  async 'interrupted once, then aborted'({ watched, run }) {
    await run('SIGINT', interrupted(watched), { signals: [[() => isMinted(watched), 'SIGINT']] })
    await run(0, ['rotate', '--abort', ...waits])
  },
  async 'interrupted twice'({ watched, run }) {
    const signals: NonNullable<Options['signals']> = [
      [() => isMinted(watched), 'SIGINT'],
      [() => true, 'SIGINT'],
    ]
    await run('SIGINT', interrupted(watched), { signals })
  },
  async create({ watched, run }) {
    const ran = await watched.run(['create', 'Shown', '--type', 'live'])
    const [shown] = watched.sandbox.keys()
    expect(ran.stdout).toContain(shown?.secret.reveal())
    expect(await watched.leaks(ran, { stdout: shown ? [shown.secret] : [] })).toEqual([])
    await run(0, ['create', 'Delivered', '--type', 'test', '--to', 'env:new.env'], { files: ['new.env'] })
  },
  async 'a wrong credential'({ watched, run }) {
    const wrong = watched.sandbox.dashboard
      .create({ name: 'Plain', access: 'full', createdAt: 0 })
      .secret.reveal()
    await run(4, ['list'], { env: { PICTIFY_ADMIN_KEY: wrong } })
    await run(4, ['login', '--store', 'file'], { input: wrong, env: { PICTIFY_ADMIN_KEY: undefined } })
    await run(2, ['login', '--store', 'file'], { input: ` ${wrong}`, env: { PICTIFY_ADMIN_KEY: undefined } })
    await run(2, ['show', watched.old.secret.reveal()])
  },
  async 'the other commands'({ watched, run }) {
    for (const line of [['list'], ['show', watched.old.id], ['usage'], ['status']]) await run(0, line)
    await run(0, ['rename', watched.old.id, 'Another'])
    await run(0, ['revoke', watched.old.id, '--yes', '--force'])
    await run(0, ['delete', watched.old.id, '--yes'])
  },
  async 'a fault of ours'({ watched, run }) {
    await run(1, ['rotate', watched.old.id, ...env, ...waits], { crash: 'throw' })
    await run(0, ['rotate', watched.old.id, ...env, ...waits])
  },
  async 'a promise nobody waits for'({ watched, run }) {
    await run(1, ['rotate', watched.old.id, ...env, ...waits], { crash: 'reject' })
  },
  async 'a server that repeats what it was sent'({ watched, run }) {
    const server = createServer((request, response) => {
      const secret = request.headers.authorization?.replace('Bearer ', '') ?? ''
      const said = [
        secret,
        secret.slice(8, 20),
        Buffer.from(`u:${secret}`).toString('base64'),
        [...secret].join('\u200b'),
      ]
      response.writeHead(400, {
        'x-request-id': secret,
        location: `http://x/${secret}`,
        'content-type': 'application/json',
      })
      response.end(
        JSON.stringify({
          type: `x/${secret}`,
          detail: said.join(' '),
          errors: [{ field: secret, message: secret }],
        }),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await run(1, ['list'], { env: { PICTIFY_API_URL: url } })
    await run(1, ['create', 'New', '--type', 'live'], { env: { PICTIFY_API_URL: url } })
    const input = watched.sandbox.adminKey.reveal()
    await run(1, ['login', '--store', 'file'], {
      input,
      env: { PICTIFY_API_URL: url, PICTIFY_ADMIN_KEY: undefined },
    })
    await new Promise((resolve) => server.close(resolve))
  },
}

/** A line that waits, with its successor minted, for an API that never takes it. */
function interrupted({ sandbox, old }: Watched): string[] {
  sandbox.addFault('refuse-new')
  return ['rotate', old.id, ...env, ...waits, '--settle', '20s']
}

function isMinted({ sandbox }: Watched): boolean {
  const minted = sandbox.requests.findIndex(({ method, status }) => method === 'POST' && status === 201)
  return minted >= 0 && sandbox.requests.slice(minted).some(({ path: at }) => at.startsWith('/templates'))
}

describe('no part of a secret is where it should not be', () => {
  const tally = { runs: 0, characters: 0, files: 0, children: 0 }

  it.each(Object.entries(stories))('%s, at every verbosity', async (_, story) => {
    await pMap(
      Object.entries(verbosities),
      async ([name, { flags, env: variables }]) => {
        const watched = await watch()
        const run: Session['run'] = async (exit, line, options = {}) => {
          const ran = await watched.run([...line, ...flags], {
            ...options,
            env: { ...variables, ...options.env },
          })
          expect(ran.exit ?? ran.signal, `${name}: ${line.join(' ')}: ${ran.stderr}`).toBe(exit)
          expect(await watched.leaks(ran, options), `${name}: ${line.join(' ')}`).toEqual([])
          expectMasks(watched, ran, variables['GITHUB_ACTIONS'] === 'true')
          return ran
        }
        try {
          await story({ watched, run })
        } finally {
          await watched.end()
        }
        for (const key of ['runs', 'characters', 'files', 'children'] as const)
          tally[key] += watched.seen[key]
      },
      atOnce,
    )
  })

  it('in all of them together', () => {
    expect(tally.children).toBeGreaterThan(50)
    printFigures('secrets: every story at every verbosity', {
      stories: Object.keys(stories).length,
      verbosities: Object.keys(verbosities).length,
      runs: tally.runs,
      'characters printed': tally.characters,
      'files read': tally.files,
      'children seen': tally.children,
      leaks: 0,
    })
  })
})

/** Elsewhere there are none; there, no value twice, and all of them secrets. */
function expectMasks(watched: Watched, { stderr }: WatchedRun, isActions: boolean): void {
  const masks = masksIn(stderr)
  if (!isActions) expect(masks).toEqual([])
  expect(new Set(masks).size).toBe(masks.length)
  const secrets = watched.secrets().map((secret) => secret.reveal())
  for (const mask of masks) expect(secrets).toContain(mask)
}

describe('a rotation killed at every point', () => {
  it('leaves no part of a secret but beside its target, as private as that, and the next run sweeps it', async () => {
    const counting = await watch()
    const line = (watched: Watched) => [
      'rotate',
      watched.old.id,
      ...env,
      '--verify',
      'true',
      '--json',
      ...waits,
    ]
    const { points, exit } = await counting.run(line(counting), { killAt: 0 })
    await counting.end()
    expect(exit).toBe(0)
    expect(points.length).toBeGreaterThan(50)

    let leftovers = 0
    let files = 0
    let killed = 0
    await pMap(
      points.keys(),
      async (index) => {
        const watched = await watch()
        try {
          const ran = await watched.run(line(watched), { killAt: index + 1 })
          if (ran.signal === 'SIGKILL') killed += 1
          const beside = filesUnder(watched.home.directory).filter((file) => file.startsWith('.env.'))
          expect(await watched.leaks(ran, { files: beside }), ran.points.at(-1)).toEqual([])
          files += watched.seen.files
          for (const file of beside) expect(await modeOf(path.join(watched.home.directory, file))).toBe('600')
          if (beside.length === 0) return
          leftovers += 1
          const again = await watched.run(line(watched))
          expect(again.exit, again.stderr).toBe(0)
          expect(await watched.leaks(again), ran.points.at(-1)).toEqual([])
        } finally {
          await watched.end()
        }
      },
      atOnce,
    )
    expect(leftovers).toBeGreaterThan(0)
    printFigures('secrets: a rotation killed at every point', {
      points: points.length,
      killed,
      'files read': files,
      'left beside the target, and swept': leftovers,
      leaks: 0,
    })
  })
})

it('a command that says a hundred megabytes is masked in little memory', async () => {
  const watched = await watch()
  const highest = 'sed -n "s/^VmHWM:[^0-9]*//p" /proc/$PPID/status >&2'
  const say =
    'head -c 80000000 /dev/zero | tr "\\0" x; echo; yes "the key is $PICTIFY_API_KEY" | head -c 20000000'
  const line = ['rotate', watched.old.id, ...env, ...waits, '--verify', `${say}; ${highest}`]
  const ran = await watched.run(line)
  expect(ran.exit, ran.stderr.slice(-500)).toBe(0)
  const [, kilobytes = ''] = /^\S+Z {4}(\d+) kB$/m.exec(ran.stderr) ?? []
  const { stdout, stderr, ...rest } = ran
  const beginning = { ...rest, stdout, stderr: stderr.slice(0, 100_000) + stderr.slice(-100_000) }
  expect(await watched.leaks(beginning)).toEqual([])
  expect(stderr).not.toContain(watched.sandbox.keys()[0]?.secret.reveal().slice(8, 16))
  expect(Number(kilobytes)).toBeGreaterThan(10_000)
  expect(Number(kilobytes)).toBeLessThan(400_000)
  printFigures('secrets: a verify command that says 100 MB', {
    'peak memory, MB': Math.round(Number(kilobytes) / 1_000),
  })
  await watched.end()
})

it('a value that is no key, in a target, masks nothing', async () => {
  const watched = await watch()
  await writeFile(path.join(watched.home.directory, '.env'), 'PICTIFY_API_KEY=true\n')
  const ran = await watched.run(['rotate', watched.old.id, ...env, ...waits], {
    env: { GITHUB_ACTIONS: 'true' },
  })
  expect(masksIn(ran.stderr)).not.toContain('true')
  await watched.end()
})
