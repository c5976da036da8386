import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import type { Watched, WatchedRun } from './watched.ts'

export const waits = ['--settle', '100ms', '--idle', '0s', '--usage-lag', '0s', '--wait', '20s']
/** The target that every story has. */
export const env = ['--to', 'env:.env']

interface Verbosity {
  flags: string[]
  env: Record<string, string>
}
export const verbosities: Record<string, Verbosity> = {
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

export interface Session {
  watched: Watched
  /** Runs a line at the verbosity at hand, expects its exit and no leaks. */
  run: (exit: number | NodeJS.Signals, line: readonly string[], options?: Options) => Promise<WatchedRun>
}
type Options = NonNullable<Parameters<Watched['run']>[1]> & NonNullable<Parameters<Watched['leaks']>[1]>

const admin = ({ sandbox }: Watched) => sandbox.keys().find(({ access }) => access === 'admin')?.id ?? ''

/** The ways a rotation goes, and the other commands. */
export const stories: Record<string, (session: Session) => Promise<void>> = {
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
