import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { certificate } from '../servers/google/roots.ts'
import { failure, hurried, old, successor } from './contract-fixture.ts'
import { email, member, parent, useStage } from './gcp-sm-fixture.ts'
import { bundle } from './other-process.ts'

const { stage, targetAt, held } = useStage()

describe('signs in', () => {
  test('by workload identity federation and impersonation, for a quota project', async () => {
    const place = await held()
    const [tokenFile, file] = ['token', 'federation.json'].map((name) => path.join(stage.folder, name)) as [
      string,
      string,
    ]
    const { logins } = stage.google
    await writeFile(tokenFile, logins.workloadToken)
    await writeFile(file, JSON.stringify(logins.federationFile(tokenFile, email)))
    Object.assign(process.env, { GOOGLE_APPLICATION_CREDENTIALS: file, GOOGLE_CLOUD_QUOTA_PROJECT: 'payer' })
    expect((await targetAt(place.spec).read())?.value.equals(old)).toBe(true)
    expect(logins.requests).toEqual([
      'POST /sts/v1/token',
      `POST /v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
    ])
    const call = stage.google.calls.at(-1)
    expect(call?.member).toBe(member)
    expect(call?.headers['x-goog-user-project']).toBe('payer')
    expect(call?.headers['x-goog-request-params']).toContain(encodeURIComponent(place.secret))
  })

  test('once for all targets of a process', async () => {
    const env = { ...process.env }
    const [one, other] = [await held(), await held()]
    const [first, second] = [one, other].map(({ spec }) => targetAt(spec, { env }))
    await first?.read()
    await writeFile(path.join(stage.folder, 'key.json'), '{}')
    try {
      await second?.read()
    } finally {
      await writeFile(path.join(stage.folder, 'key.json'), JSON.stringify(stage.google.logins.keyFile(email)))
    }
  })

  test('anew after a login has expired, in the same process', async () => {
    const place = await held()
    const target = targetAt(place.spec)
    await target.read()
    stage.google.logins.expire(true)
    const error = await failure(target.read())
    expect(error.code).toBe('target-refused')
    expect(error.hint).toContain('gcloud auth application-default login')
    stage.google.logins.expire(false)
    await target.read()
  })

  test('with a login that cannot be had: nothing is sent', async () => {
    const place = await held()
    const [tokenFile, file] = ['old-token', 'old.json'].map((name) => path.join(stage.folder, name)) as [
      string,
      string,
    ]
    await writeFile(tokenFile, 'expired')
    await writeFile(file, JSON.stringify(stage.google.logins.federationFile(tokenFile, email)))
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file
    const calls = stage.google.calls.length
    const error = await failure(targetAt(place.spec).write(successor, undefined))
    expect(error.code).toBe('target-refused')
    expect(error.message).toContain('the Google login does not work')
    expect(error.hint).toContain('gcloud auth application-default login')
    expect(stage.google.calls).toHaveLength(calls)
  })

  test.each([
    ['a file that is not there', '/nowhere/key.json'],
    ['a file that is no key', fileURLToPath(import.meta.url)],
  ])('not with %s', async (_what, file) => {
    const place = await held()
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file
    const error = await failure(targetAt(place.spec).read())
    expect(error.code).toBe('target-refused')
    expect(error.message).toContain('the Google login does not work')
  })

  test('in the universe that the environment names, and in no other than the login is of', async () => {
    const place = await held()
    const file = path.join(stage.folder, 'universe.json')
    const key = stage.google.logins.keyFile(email, { universe_domain: 'example.goog' })
    await writeFile(file, JSON.stringify(key))
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file
    const error = await failure(targetAt(place.spec).read())
    expect(error.code).toBe('target-refused')
    expect(error.message).toContain('example.goog')
    process.env['GOOGLE_CLOUD_UNIVERSE_DOMAIN'] = 'example.goog'
    expect((await targetAt(place.spec).read())?.value.equals(old)).toBe(true)
  })
})

describe('the endpoint', () => {
  test.each(['http://localhost:1/', 'localhost:443', 'https://localhost/path', 'https://user@localhost/'])(
    '%s cannot be used',
    async (url) => {
      process.env['CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER'] = url
      const error = await failure(targetAt(`gcp-sm:${parent}/secrets/x`).check())
      expect(error.code).toBe('target-refused')
      expect(error.hint).toContain('write https://<host>[:<port>]/')
    },
  )

  test('whose certificate nobody vouches for', async () => {
    const place = await held()
    const url = stage.env['CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER'] ?? ''
    // the certificate is another host's
    process.env['CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER'] = url.replace(
      'localhost',
      'ip6-localhost.localhost',
    )
    const error = await failure(targetAt(place.spec, { clock: hurried }).read())
    expect(error.code).toMatch(/^target-(failed|refused)$/)
    expect(await place.value()).toBe(old.reveal())
  })

  test('that takes the connection and says nothing: ended in time, and nothing is left open', async () => {
    const silent: Server = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    process.env['CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER'] = `https://localhost:${port}/`
    const error = await failure(targetAt(`gcp-sm:${parent}/secrets/x`, { clock: hurried }).read())
    expect(error.message).toMatch(/no answer within 30s$/)
    silent.close()
  })
})

test('is not begun where the library would print what it sends', async () => {
  const place = await held()
  process.env['GOOGLE_SDK_NODE_LOGGING'] = 'all'
  const error = await failure(targetAt(place.spec).read())
  expect(error.code).toBe('target-refused')
  expect(error.message).toContain('GOOGLE_SDK_NODE_LOGGING')
})

test('neither a connection nor a call that was given up holds the process', async () => {
  const place = await held()
  const folder = fileURLToPath(new URL(`../../node_modules/.cache/gcp-sm-${process.pid}/`, import.meta.url))
  await mkdir(folder, { recursive: true })
  const script = await bundle(
    folder,
    `import { parseTarget } from 'SRC/targets/index.ts'
     import { systemClock } from 'SRC/clock.ts'
     const quiet = () => {}
     const target = parseTarget(process.argv[2], {
       cwd: '/', env: process.env, debug: quiet, warn: quiet, secrets: () => [], showSecret: undefined,
       clock: systemClock, createTarget: false, program: '/x',
     })
     const held = await target.read()
     const aborting = new AbortController()
     setTimeout(() => aborting.abort(new Error('given up')), 100)
     await target.read(aborting.signal).catch((error) => console.log(held.value.type, error.message))
     process.on('exit', () => console.log('ended'))`,
    { packages: 'external' },
  )
  let calls = 0
  stage.google.fault = () => ((calls += 1) > 2 ? 'hang' : undefined)
  try {
    // the authority is known by Node's own variable as well
    const env = { ...process.env, ...stage.env, NODE_EXTRA_CA_CERTS: certificate('ca') }
    Reflect.deleteProperty(env, 'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH')
    const { stdout } = await promisify(execFile)(process.execPath, [script, place.spec], { env })
    expect(stdout).toBe('live given up\nended\n')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
