// Every event and every document, seen in the real program with --json: `home.run` holds what it prints to schema/.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { commands } from '../../src/commands/index.ts'
import { errorExits } from '../../src/errors.ts'
import { eventDefinitions } from '../schema/schemas.ts'
import { commandOf } from './contract.ts'
import type { Ran } from './program.ts'
import { leftOpen, openRotating, quick, type Rotating } from './rotating.ts'

let stage: Rotating
beforeEach(async () => {
  stage = await openRotating()
})
afterEach(() => stage.end())

const events = ({ stderr }: Ran) =>
  stderr
    .split('\n')
    .filter((line) => line.startsWith('{"event":'))
    .map((line) => JSON.parse(line) as { event: string; [field: string]: unknown })

const rotate = (...args: string[]) => stage.run(['rotate', 'Production Server', '--to', 'env:.env', ...args])

/** A check that uses the key as an application does, and then fails. */
const usedBySomebody =
  'node -e \'const { env } = process; fetch(env.PICTIFY_API_URL + "/templates", { headers: { authorization: "Bearer " + env.PICTIFY_API_KEY } }).then(() => process.exit(1))\''

interface Scene {
  seen: string[]
  play: () => Promise<Ran>
}

const scenes: Record<string, Scene> = {
  'a rotation from its plan to its end': {
    seen: ['rotation', 'step', 'state', 'probe', 'target', 'verify', 'verify-output', 'evidence', 'debug'],
    play: () => rotate(...quick, '--verify', 'echo fine', '--debug'),
  },
  'one that is gone on with': {
    seen: ['resumed'],
    play: async () => {
      await rotate(...leftOpen)
      return rotate(...quick)
    },
  },
  'one that another machine goes on with': {
    seen: ['adopted'],
    play: async () => {
      await rotate(...leftOpen)
      return rotate(...quick, '--state-dir', path.join(stage.home.directory, 'other'))
    },
  },
  'one that is interrupted': {
    seen: ['interrupted'],
    play: async () => {
      const args = [...quick, '--overlap', '1h', '--wait', '1h']
      const running = stage.home.start(['rotate', 'Production Server', '--to', 'env:.env', ...args])
      await running.until(() => running.output().stderr.includes('"event":"evidence"'))
      running.child.kill('SIGINT')
      return running.ended
    },
  },
  'a delivery that fails, and is undone': {
    seen: ['target-failed'],
    play: () => stage.run(['rotate', 'Production Server', '--to', 'exec:exit 1', ...quick]),
  },
  'a successor that may still be in use': {
    seen: ['undo-wait'],
    play: () => rotate(...quick, '--idle', '1h', '--wait', '1s', '--verify', usedBySomebody),
  },
  'something to look at': {
    seen: ['warning'],
    play: () => stage.run(['logout', '--json']),
  },
  'a wait for the API': {
    seen: ['wait'],
    play: () => {
      stage.sandbox.addFault('status-503@1')
      return stage.run(['list', '--json'])
    },
  },
  'a secret on stdin that takes its time': {
    seen: ['stdin-wait'],
    play: async () => {
      // its stdin is a pipe that a child of it holds open
      const first = 'mkfifo late; (sleep 3; cat key) > late & exec < late'
      await writeFile(path.join(stage.home.directory, 'key'), stage.old.secret.reveal())
      return stage.run(['rotate', 'Production Server', '--to', 'env:.env', '--old-secret-stdin', ...quick], {
        first,
      })
    },
  },
  'a leaked secret whose key is looked for, without an audit log': {
    seen: ['secret-match', 'secret-matched'],
    play: () => {
      stage.sandbox.addFault('status-404:GET /audit-logs')
      const input = `${stage.old.secret.reveal()}\n`
      return stage.run(['incident', '--secret-stdin', '--json'], { input })
    },
  },
  'a key that is delivered': {
    seen: ['delivered'],
    play: () => stage.run(['create', 'Worker', '--type', 'test', '--to', 'file:worker.key', '--json']),
  },
  'keys that are revoked, one of them again': {
    seen: ['revoked', 'already-revoked'],
    play: () => {
      const { id } = stage.sandbox.dashboard.create({ name: 'Gone', createdAt: Date.now() - 9e8 })
      stage.sandbox.dashboard.revoke(id)
      return stage.run(['revoke', id, stage.old.id, '--yes', '--force', '--json'])
    },
  },
  'alerts that are watched': {
    seen: ['alerts-checked', 'alerts-wait'],
    play: async () => {
      const file = path.join(stage.home.directory, 'pictify-keys.yaml')
      await writeFile(file, 'version: 1\nalerts: [{name: old, when: too-old, after: 1d}]\n')
      const running = stage.home.start(['alerts', 'check', '--watch', '--json'])
      await running.until(() => running.output().stderr.includes('"alerts-wait"'))
      running.child.kill('SIGINT')
      return running.ended
    },
  },
  'usage that is watched': {
    seen: ['usage'],
    play: async () => {
      const running = stage.home.start(['usage', '--watch', '--json'])
      await running.until(() => running.output().stderr.includes('"event":"usage"'))
      running.child.kill('SIGINT')
      return running.ended
    },
  },
  'a key that is deleted': {
    seen: ['deleted'],
    play: () => stage.run(['delete', stage.old.id, '--revoke', '--yes', '--force', '--json']),
  },
}

/** What is not seen here, and why. */
const elsewhere: Record<string, string> = {
  restart: 'it takes a cluster: test/cli/kubernetes.servers.ts',
  'keychain-wait': 'it takes a keychain that hangs: test/credentials/',
  reading: 'it takes ten seconds of reading: test/ui/reading.test.ts has it on a clock of its own',
  'still-waiting': 'it takes a minute of silence: test/ui/talk.test.ts has it on a clock of its own',
}

test.each(Object.entries(scenes))('%s', async (_, { seen, play }) => {
  const found = new Set(events(await play()).map(({ event }) => event))
  expect([...found]).toEqual(expect.arrayContaining(seen))
})

test('every event is seen, or it is said why not', () => {
  const known = [...Object.values(scenes).flatMap(({ seen }) => seen), ...Object.keys(elsewhere)]
  expect(known.sort()).toEqual([...eventDefinitions.keys()].sort())
})

test.each([
  ['verify-failed', 'env:.env', 'exit 1'],
  ['target-changed', 'env:.env', 'echo PICTIFY_API_KEY=other > .env'],
])('%s is why a rotation is undone', async (code, target, verify) => {
  const ran = await stage.run(['rotate', 'Production Server', '--to', target, '--verify', verify, ...quick])
  expect([6, 7]).toContain(ran.exit)
  const { rotation } = JSON.parse(ran.stdout) as { rotation: { failure: unknown } }
  expect(rotation.failure).toMatchObject({ code })
})

/** A line of every command that has a document. */
const documents: Record<string, (stage: Rotating) => Promise<Ran>> = {
  login: ({ home, sandbox }) =>
    home.run(['login', '--store', 'file', '--json'], {
      input: `${sandbox.adminKey.reveal()}\n`,
      env: { PICTIFY_ADMIN_KEY: undefined },
    }),
  logout: ({ run }) => run(['logout', '--json']),
  profile: async ({ home, run }) => {
    await documents['login']?.(stage)
    for (const action of [['list'], ['use', 'default'], ['delete', 'default', '--yes']]) {
      const ran = await home.run(['profile', ...action, '--json'])
      if (action[0] === 'delete') return ran
      expect(ran.exit).toBe(0)
    }
    return run(['profile', 'list', '--json'])
  },
  status: ({ run }) => run(['status', '--json']),
  list: ({ run }) => run(['list', '--json']),
  show: ({ run }) => run(['show', 'Production Server', '--snippet', 'node', '--json']),
  create: ({ run }) => run(['create', 'Worker', '--type', 'test', '--snippet', 'k8s', '--json']),
  rename: ({ run }) => run(['rename', 'Production Server', 'Web', '--json']),
  revoke: ({ run }) => run(['revoke', 'Production Server', '--yes', '--json']),
  delete: ({ run }) => run(['delete', 'Production Server', '--revoke', '--yes', '--json']),
  usage: ({ run }) => run(['usage', '--json']),
  incident: ({ run }) => run(['incident', 'Production Server', '--json']),
  rotate: () => rotate(...quick, '--compromised'),
  rotations: async ({ run, home }) => {
    await rotate(...leftOpen)
    return run(['rotations', '--account', '--json', '--state-dir', path.join(home.directory, 'other')])
  },
  alerts: async ({ run, home }) => {
    const file = path.join(home.directory, 'pictify-keys.yaml')
    await writeFile(file, 'version: 1\nalerts: [{name: old, when: too-old, after: 9000d}]\n')
    expect((await run(['alerts', 'check', '--json'])).exit).toBe(0)
    return run(['alerts', 'list', '--json'])
  },
  completion: ({ run }) => run(['completion', 'zsh', '--json']),
  explain: async ({ run }) => {
    expect((await run(['explain', 'rotation-undone', '--json'])).exit).toBe(0)
    expect((await run(['explain', 'key-age', '--json'])).exit).toBe(0)
    return run(['explain', '--json'])
  },
  sandbox: async ({ home }) => {
    const running = home.start(['sandbox', '--json'])
    await running.until(() => running.output().stdout !== '')
    running.child.kill('SIGTERM')
    return running.ended
  },
}

test.each(Object.entries(documents))('the document of %s', async (name, play) => {
  const { stdout, exit } = await play(stage)
  expect([0, null]).toContain(exit)
  expect(Object.keys(JSON.parse(stdout) as object).length).toBeGreaterThan(0)
  expect(commandOf([name, '--json'])).toBe(name)
})

test('a rotation that is not due says so', async () => {
  const { stdout } = await rotate(...quick, '--if-older-than', '90d')
  expect(JSON.parse(stdout)).toMatchObject({ rotation: null, skipped: { reason: 'younger' } })
})

test('docs/json.md names every command that has a document, and every event', async () => {
  const text = await readFile(new URL('../../docs/json.md', import.meta.url), 'utf8')
  const textual = ['man']
  for (const name of commands.map((each) => each.name).filter((each) => !textual.includes(each)))
    expect(text).toContain(`\`${name}\``)
  for (const name of eventDefinitions.keys()) expect(text).toContain(`\`${name}\``)
})

test('docs/json.md has every error code, by its exit', async () => {
  const text = await readFile(new URL('../../docs/json.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| (\d+) \| (`.*`) \|$/gm)]
  const listed = rows.flatMap(([, exit, codes = '']) =>
    [...codes.matchAll(/`([^`]+)`/g)].map(([, code]) => [code, Number(exit)]),
  )
  expect(Object.fromEntries(listed)).toEqual(errorExits)
})
