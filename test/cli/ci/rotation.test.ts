import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Ran } from '../program.ts'
import { openRotating, waits, type Rotating } from '../rotating.ts'
import { openScreen } from '../screen.ts'
import { azure, github, gitlab, outputsOf, plainLog } from './runners.ts'

const line = (...more: string[]) => ['rotate', 'Production Server', '--to', 'env:.env', ...waits, ...more]
const steps = 8

let account: Rotating
let secrets: string[]
let file: (name: string) => string
beforeEach(async () => {
  account = await openRotating()
  file = (name) => path.join(account.home.directory, name)
  secrets = [account.sandbox.adminKey.reveal(), account.old.secret.reveal()]
})
afterEach(() => account.end())

const newKey = () =>
  account.sandbox.keys().find(({ name, status }) => name === 'Production Server' && status === 'active')
/** Every secret there is by now. */
async function allSecrets(): Promise<string[]> {
  const [, held = ''] = (await account.read('.env')).trim().split('=')
  return [...secrets, held]
}
/** Without what the job had in its environment: the admin key. */
async function broughtSecrets(): Promise<string[]> {
  return (await allSecrets()).slice(1)
}
function ids(id: string) {
  return { rotation_id: id, rotation_state: 'done', old_key_id: account.old.id, new_key_id: newKey()?.id }
}
const rotationIn = ({ stdout }: Ran) => /rotation {2}([0-9a-f]{6})/.exec(stdout)?.[1] ?? ''

describe('GitHub Actions', () => {
  const env = () => ({
    GITHUB_ACTIONS: 'true',
    CI: 'true',
    GITHUB_OUTPUT: file('output'),
    GITHUB_STEP_SUMMARY: file('summary'),
  })

  test('masks every secret that it brings before it can be seen', async () => {
    // the new key is said by the first command that has it
    const given = { env: env(), first: 'exec 2>&1' }
    const { stdout, exit } = await account.run(line('--verify', 'echo "it says $PICTIFY_API_KEY"'), given)
    expect(exit, stdout).toBe(0)
    const [, held = ''] = (await account.read('.env')).trim().split('=')
    const told = stdout.split('\n')
    const at = (text: string) => {
      expect(stdout).toContain(text)
      return told.findIndex((each) => each.includes(text))
    }
    expect(at(`::add-mask::${account.old.secret.reveal()}`)).toBeLessThan(at('creating the successor'))
    expect(at(`::add-mask::${held}`)).toBeLessThan(at('created key_'))
    // each is in the one line that masks it; the admin key is the job's own, and in none
    for (const secret of [account.old.secret.reveal(), held])
      expect(told.filter((text) => text.includes(secret))).toEqual([`::add-mask::${secret}`])
    expect(stdout).not.toContain(account.sandbox.adminKey.reveal())
  })

  test('masks the admin key of a profile before it is used, and never one of the environment', async () => {
    const signedOut = { ...env(), PICTIFY_ADMIN_KEY: undefined }
    const input = account.sandbox.adminKey.reveal()
    const login = await account.run(['login', '--store', 'file'], { env: signedOut, input })
    expect(login.exit, login.stderr).toBe(0)
    const byProfile = await account.run(['list', '--debug'], { env: signedOut, first: 'exec 2>&1' })
    expect(byProfile.exit, byProfile.stdout).toBe(0)
    expect(byProfile.stdout.startsWith(`::add-mask::${input}\n`), byProfile.stdout).toBe(true)
    const byEnvironment = await account.run(['list', '--debug'], { env: env() })
    expect(byEnvironment.exit, byEnvironment.stderr).toBe(0)
    expect(byEnvironment.stderr).not.toContain('add-mask')
  })

  test('folds the steps, and hands on ids', async () => {
    const ran = await account.run(line(), { env: env() })
    expect(ran.exit, ran.stderr).toBe(0)
    const { commands, log } = github(ran.stderr)
    const named = (name: string) => commands.filter((command) => command.name === name)
    expect(named('add-mask').map(({ data }) => data)).toEqual(await broughtSecrets())
    expect(named('group')).toHaveLength(steps)
    expect(named('endgroup')).toHaveLength(steps)
    expect(new Set(commands.map(({ name }) => name))).toEqual(new Set(['add-mask', 'group', 'endgroup']))
    for (const secret of await allSecrets()) expect(log.join('\n') + ran.stdout).not.toContain(secret)
    for (const text of log) expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}/)
    expect(github(ran.stdout).commands).toEqual([])
    expect(outputsOf(await account.read('output'))).toEqual(ids(rotationIn(ran)))
  })

  test('gets a summary with the rotation as a table, without a secret', async () => {
    const ran = await account.run(line('--json'), { env: env() })
    expect(ran.exit, ran.stderr).toBe(0)
    const summary = await account.read('summary')
    expect(summary).toContain('### Rotated: Production Server\n\n| | |\n| --- | --- |\n')
    expect(summary).toContain(`| New key | ${newKey()?.id} |`)
    for (const secret of await allSecrets()) expect(summary).not.toContain(secret)
    // stdout is one document, stderr JSON and masks
    JSON.parse(ran.stdout)
    const { commands, log } = github(ran.stderr)
    expect(new Set(commands.map(({ name }) => name))).toEqual(new Set(['add-mask']))
    for (const text of log) JSON.parse(text)
    expect(outputsOf(await account.read('output'))).toMatchObject({ rotation_state: 'done' })
  })

  test('gets warnings and errors as annotations', async () => {
    const ran = await account.run(line('--no-evidence', '--verify', 'echo 100%; exit 3'), { env: env() })
    expect(ran.exit).toBe(6)
    const { commands } = github(ran.stderr)
    const errors = commands.filter(({ name }) => name === 'error')
    expect(errors).toHaveLength(1)
    expect(errors[0]?.properties).toEqual({ title: 'pictify-keys' })
    expect(errors[0]?.data).toContain('the verify command ended with 3')
    expect(errors[0]?.data).toContain('it said: 100%; mend')
    expect(outputsOf(await account.read('output'))).toMatchObject({ rotation_state: 'aborted' })
    expect(await account.read('summary')).toContain('### Rotation undone: Production Server')

    const waived = await account.run(line('--no-evidence'), { env: env() })
    const warnings = github(waived.stderr).commands.filter(({ name }) => name === 'warning')
    expect(warnings.map(({ data }) => data)).toEqual([expect.stringContaining('--no-evidence')])
  })

  test('a rotation that waits is a warning', async () => {
    const ran = await account.run(line('--overlap', '24h', '--wait', '0s'), { env: env() })
    expect(ran.exit).toBe(5)
    const { commands } = github(ran.stderr)
    expect(commands.filter(({ name }) => ['warning', 'error'].includes(name))).toEqual([
      {
        name: 'warning',
        properties: { title: 'pictify-keys' },
        data: expect.stringContaining('may not go yet') as string,
      },
    ])
    expect(await account.read('summary')).toContain('### Rotation waiting: Production Server')
  })
})

describe('Azure Pipelines', () => {
  test('masks, folds, sets output variables and uploads the summary, by stderr', async () => {
    await mkdir(file('temp'))
    const ran = await account.run(line(), { env: { TF_BUILD: 'True', AGENT_TEMPDIRECTORY: file('temp') } })
    expect(ran.exit, ran.stderr).toBe(0)
    const { commands, log } = azure(ran.stderr)
    const named = (name: string) => commands.filter((command) => command.name === name)
    expect(named('task.setsecret').map(({ data }) => data)).toEqual(await broughtSecrets())
    expect(named('group')).toHaveLength(steps)
    expect(named('endgroup')).toHaveLength(steps)
    const variables = named('task.setvariable')
    for (const { properties } of variables) expect(properties['isOutput']).toBe('true')
    expect(
      Object.fromEntries(variables.map(({ properties, data }) => [properties['variable'], data])),
    ).toEqual(ids(rotationIn(ran)))
    const [name = ''] = await readdir(file('temp'))
    expect(named('task.uploadsummary').map(({ data }) => data)).toEqual([path.join(file('temp'), name)])
    expect(await readFile(path.join(file('temp'), name), 'utf8')).toContain('### Rotated: Production Server')
    for (const secret of await allSecrets()) expect(log.join('\n')).not.toContain(secret)
    expect(azure(ran.stdout).commands).toEqual([])
  })

  test('gets errors as issues', async () => {
    const ran = await account.run(line('--verify', 'echo "]; 5%"; exit 3'), { env: { TF_BUILD: 'True' } })
    const issues = azure(ran.stderr).commands.filter(({ name }) => name === 'task.logissue')
    expect(issues).toMatchObject([
      { properties: { type: 'error' }, data: expect.stringContaining(']; 5%; mend') as string },
    ])
  })
})

describe('GitLab CI', () => {
  test('folds sections, and takes a dotenv report where the job names one', async () => {
    const env = {
      GITLAB_CI: 'true',
      CI: 'true',
      PICTIFY_KEYS_OUTPUT_FILE: file('keys.env'),
      PICTIFY_KEYS_SUMMARY_FILE: file('keys.md'),
    }
    const ran = await account.run(line(), { env })
    expect(ran.exit, ran.stderr).toBe(0)
    const { commands, log } = gitlab(ran.stderr)
    const open: string[] = []
    for (const { name, properties } of commands) {
      if (name === 'section_start') open.push(properties['name'] ?? '')
      else expect(open.pop()).toBe(properties['name'])
      expect(Number(properties['seconds'])).toBeGreaterThan(1_700_000_000)
    }
    expect(open).toEqual([])
    expect(new Set(commands.map(({ properties }) => properties['name'])).size).toBe(steps)
    for (const secret of await allSecrets()) expect(log.join('\n')).not.toContain(secret)
    const dotenv = await account.read('keys.env')
    for (const text of dotenv.trimEnd().split('\n')) expect(text).toMatch(/^[A-Z_]+=[\w.,:@/+-]+$/)
    expect(dotenv).toContain(`PICTIFY_NEW_KEY_ID=${newKey()?.id}\n`)
    expect(await account.read('keys.md')).toContain('### Rotated: Production Server')
  })
})

describe('CircleCI', () => {
  test('hands ids to the shells of later steps', async () => {
    const ran = await account.run(line(), {
      env: { CIRCLECI: 'true', CI: 'true', BASH_ENV: file('bash-env') },
    })
    expect(ran.exit, ran.stderr).toBe(0)
    const script =
      'echo "$PICTIFY_ROTATION_ID $PICTIFY_OLD_KEY_ID $PICTIFY_NEW_KEY_ID $PICTIFY_ROTATION_STATE"'
    const shell = spawnSync('bash', ['-c', script], {
      env: { BASH_ENV: file('bash-env') },
      // from a socket, which is what Node makes of a pipe, bash takes itself for a remote shell and reads another file
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    expect(String(shell.stdout)).toBe(`${rotationIn(ran)} ${account.old.id} ${newKey()?.id} done\n`)
    for (const secret of await allSecrets()) expect(await account.read('bash-env')).not.toContain(secret)
  })
})

describe('Jenkins', () => {
  test('reads a properties file that the pipeline names, and a log', async () => {
    const env = {
      JENKINS_URL: 'http://jenkins.example/',
      BUILD_ID: '7',
      PICTIFY_KEYS_OUTPUT_FILE: file('keys.properties'),
    }
    const ran = await account.run(line(), { env })
    expect(ran.exit, ran.stderr).toBe(0)
    expect(await account.read('keys.properties')).toContain(`PICTIFY_NEW_KEY_ID=${newKey()?.id}\n`)
    const { commands, log } = plainLog(ran.stderr)
    expect(commands).toEqual([])
    for (const text of log) expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}/)
  })

  test('a file that cannot be written is a warning, and stops nothing', async () => {
    const ran = await account.run(line(), { env: { PICTIFY_KEYS_OUTPUT_FILE: file('none/keys.properties') } })
    expect(ran.exit).toBe(0)
    expect(ran.stderr).toMatch(/warning: .*keys\.properties cannot be written to/)
  })
})

test('a terminal that a CI makes up is a log too: times, nothing drawn, no question', async () => {
  const screen = openScreen(account.home, line(), { columns: 200, env: { CI: 'true', TERM: 'xterm' } })
  expect((await screen.ended).exit, screen.scrollback()).toBe(0)
  expect(screen.raw().replaceAll(/\u001b\[\d{1,2}m/g, '')).not.toContain('\u001b')
  const said = screen.scrollback().split('\n')
  expect(said[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}checking everything/)
  const asked = openScreen(account.home, ['revoke', newKey()?.id ?? ''], { env: { CI: 'true' } })
  expect((await asked.ended).exit).toBe(2)
})

describe('create, revoke and delete', () => {
  test('hand on the ids, and never the secret', async () => {
    const env = { GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: file('output') }
    const created = await account.run(['create', 'CI', '--type', 'test'], { env, first: 'exec 2>&1' })
    const { key_id: id = '' } = outputsOf(await account.read('output'))
    expect(account.keys().map((key) => key.id)).toContain(id)
    // the secret is data on stdout, and masked before that
    const told = created.stdout.trim().split('\n')
    const secret = told.at(-1) ?? ''
    expect(told.filter((text) => text.includes(secret))).toEqual([`::add-mask::${secret}`, secret])
    expect(await account.read('output')).not.toContain('pk_')
    await account.run(['revoke', id, '--yes'], { env })
    await account.run(['delete', id, account.old.id, '--revoke', '--yes', '--force'], { env })
    expect((await account.read('output')).trim().split('\n')).toEqual([
      `key_id=${id}`,
      `key_ids=${id}`,
      `key_ids=${id},${account.old.id}`,
    ])
  })
})
