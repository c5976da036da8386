// How a cluster is found, and how one signs in there; what it does then is in *.servers.ts.
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as sdk from '@kubernetes/client-node'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { parseTarget } from '../../src/targets/index.ts'
import { findLogin } from '../../src/targets/kubernetes-config.ts'
import { failure, hurried } from './contract-fixture.ts'
import { testDeps } from './deps.ts'

describe('a cluster is found as kubectl finds it', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-login-'))
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true, force: true })
  })

  const find = (env: Record<string, string>, secrets: Secret[] = []) =>
    findLogin(sdk, 'k8s:a/b#c', testDeps(folder, { env, secrets: () => secrets }), path.join(folder, 'pod'))
  const refused = (env: Record<string, string>) =>
    find(env).then(
      () => undefined,
      (error: unknown) => error,
    )

  /** A kubeconfig of one cluster, user and context, all of that name. */
  async function kubeconfig(file: string, name: string, more: object = {}, user: object = { token: 't' }) {
    const config = {
      clusters: [{ name, cluster: { server: `https://${name}.example:6443` } }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
      ...more,
    }
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true })
    await writeFile(path.join(folder, file), JSON.stringify(config))
    return path.join(folder, file)
  }

  test('~/.kube/config, at its current context', async () => {
    await kubeconfig('.kube/config', 'home')
    expect(await find({ HOME: folder })).toMatchObject({
      server: 'https://home.example:6443',
      where: 'the cluster of the context "home"',
    })
  })

  test('KUBECONFIG goes before it; of several files the first to say something is right, missing ones are passed over', async () => {
    await kubeconfig('.kube/config', 'home')
    const one = await kubeconfig('one', 'one', { 'current-context': '' })
    const two = await kubeconfig('two', 'two', {
      clusters: [{ name: 'one', cluster: { server: 'https://late.example' } }],
      contexts: [{ name: 'both', context: { cluster: 'one', user: 'two' } }],
      'current-context': 'both',
    })
    const files = [one, path.join(folder, 'missing'), 'two'].join(path.delimiter)
    const login = await find({ HOME: folder, KUBECONFIG: files })
    expect(login).toMatchObject({
      server: 'https://one.example:6443',
      where: 'the cluster of the context "both"',
    })
    expect(login.config.getCurrentUser()?.name).toBe('two')
    expect(two).toBeTruthy()
  })

  test('the pod it runs in, by its service account', async () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.0.0.1')
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '443')
    const login = await find({ KUBERNETES_SERVICE_HOST: '10.0.0.1' })
    expect(login).toMatchObject({ server: 'https://10.0.0.1:443', where: 'the cluster it runs in' })
    expect(login.renew).toContain('service account')
    const files = path.join(folder, 'pod/var/run/secrets/kubernetes.io/serviceaccount')
    expect(login.config.getCurrentCluster()?.caFile).toBe(`${files}/ca.crt`)
    expect(login.config.getCurrentUser()?.authProvider).toMatchObject({
      config: { tokenFile: `${files}/token` },
    })
  })

  test.each([
    ['nothing at all', {}, 'there is no kubeconfig, and this is not a pod'],
    ['a KUBECONFIG that is not there', { KUBECONFIG: 'gone' }, 'there is no kubeconfig at'],
  ])('%s is refused', async (_what, env, message) => {
    expect(await refused({ HOME: folder, ...env })).toMatchObject({
      code: 'target-refused',
      message: expect.stringContaining(message) as string,
      hint: expect.stringMatching(/KUBECONFIG/) as string,
    })
  })

  test.each([
    ['no kubeconfig', 'token: hunter2hunter2\n  - ]'],
    ['an empty file', ''],
    [
      'a list without names',
      JSON.stringify({ clusters: [{}], users: [{ user: { token: 'hunter2hunter2' } }] }),
    ],
  ])('%s is refused without a word of it', async (_what, text) => {
    await writeFile(path.join(folder, 'config'), text)
    const error = (await refused({ KUBECONFIG: 'config' })) as Error
    expect(error).toMatchObject({ code: 'target-refused' })
    expect(`${error.message} ${String(error.cause)}`).not.toContain('hunter2')
  })

  test('one without a current context says how to choose', async () => {
    const file = await kubeconfig('config', 'one', { 'current-context': undefined })
    expect(await refused({ KUBECONFIG: file })).toMatchObject({
      hint: expect.stringContaining('use-context') as string,
    })
  })

  test.each([
    ['aws', /sign in again as aws does it \(aws sso login\)/],
    ['/usr/bin/gke-gcloud-auth-plugin', /gcloud auth login/],
    ['my-login', /^sign in again as my-login does it, until/],
  ])('what renews a login by %s', async (command, hint) => {
    const file = await kubeconfig('config', 'one', {}, { exec: { command } })
    const { renew } = await find({ KUBECONFIG: file })
    expect(renew).toMatch(hint)
    expect(renew).toContain('kubectl auth whoami')
  })

  describe('plain http', () => {
    const at = (server: string, more: object = {}) =>
      kubeconfig('config', 'one', { clusters: [{ name: 'one', cluster: { server, ...more } }] })
    const lookAt = async (insecureHttp = false) =>
      findLogin(sdk, 'k8s:a/b#c', testDeps(folder, { env: { KUBECONFIG: 'config' }, insecureHttp }))

    test.each([
      ['http://10.0.0.1:8080', {}],
      ['http://10.0.0.1:8080', { 'insecure-skip-tls-verify': true }],
      ['http://localhost:8001', { 'proxy-url': 'http://proxy.example:3128' }],
    ])('to another machine is refused, unless it is meant: %s %j', async (server, more) => {
      await at(server, more)
      await expect(lookAt()).rejects.toMatchObject({
        code: 'insecure-url',
        message: expect.stringContaining('would send the key in clear') as string,
        hint: expect.stringContaining('--insecure-http') as string,
      })
      expect((await lookAt(true)).server).toBe(server)
    })

    test('to this machine, as kubectl proxy listens: no login is sent, as kubectl sends none', async () => {
      const headers: object[] = []
      const server = createServer((request, response) => {
        headers.push(request.headers)
        const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { resourceVersion: '1', uid: 'x' } }
        const data = { c: Buffer.from('pk_live_x').toString('base64') }
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ ...secret, data }))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      try {
        await at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
        const target = parseTarget('k8s:a/b#c', testDeps(folder, { env: { KUBECONFIG: 'config' } }))
        expect((await target.read())?.value.reveal()).toBe('pk_live_x')
        expect(headers).toHaveLength(1)
        expect(headers[0]).not.toHaveProperty('authorization')
      } finally {
        server.closeAllConnections()
        server.close()
      }
    })

    test.each(['10.0.0.1:6443', 'ftp://a.example', 'https://me:hunter2@a.example'])(
      '%j is no server at all',
      async (server) => {
        await at(server)
        const error = await lookAt().catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'target-refused' })
        expect((error as Error).message).toMatch(/server of the cluster "one" in the kubeconfig is no https:/)
      },
    )
  })

  test('which cluster it is does not hang on how its context is called, nor on how its URL is written', async () => {
    const identity = async (name: string, server: string) => {
      await kubeconfig('config', name, { clusters: [{ name, cluster: { server } }] })
      return (await find({ KUBECONFIG: 'config' })).identity
    }
    expect(await identity('one', 'https://A.example:443/')).toBe('https://a.example')
    expect(await identity('two', 'https://a.example')).toBe('https://a.example')
    expect(await identity('two', 'https://a.example/k8s/c-1')).toBe('https://a.example/k8s/c-1')
    expect(await identity('two', 'https://a.example:6443')).toBe('https://a.example:6443')
  })

  describe('a program that signs in and does not come to an end', () => {
    /** A kubeconfig that starts it, and the way to its process id. */
    async function hanging(): Promise<() => Promise<number>> {
      await writeFile(path.join(folder, 'hang'), '#!/bin/sh\necho $$ >> pid\nexec sleep 300\n')
      await chmod(path.join(folder, 'hang'), 0o755)
      const exec = { command: '/bin/sh', args: ['-c', `cd '${folder}' && exec ./hang`] }
      await kubeconfig('config', 'one', {}, { exec })
      return async () => Number(await readFile(path.join(folder, 'pid'), 'utf8'))
    }
    const isAlive = (pid: number) => {
      try {
        return process.kill(pid, 0)
      } catch {
        // there is none of that id
        return false
      }
    }

    test('is ended when its time is over, and named', async () => {
      const pid = await hanging()
      const deps = testDeps(folder, { env: { KUBECONFIG: 'config' }, clock: hurried })
      expect(await failure(parseTarget('k8s:a/b#c', deps).read())).toMatchObject({
        code: 'target-failed',
        message: 'k8s:a/b#c: cannot sign in: sh had not ended after 20s, and was ended',
        hint: expect.stringContaining('kubectl auth whoami') as string,
      })
      await vi.waitFor(async () => expect(isAlive(await pid())).toBe(false))
    })

    test('is ended with the call', async () => {
      const pid = await hanging()
      const over = new AbortController()
      const deps = testDeps(folder, { env: { KUBECONFIG: 'config' } })
      const reading = parseTarget('k8s:a/b#c', deps).read(over.signal)
      reading.catch(() => undefined)
      await vi.waitFor(async () => expect(await pid()).toBeGreaterThan(0), 10_000)
      over.abort()
      await expect(reading).rejects.toBe(over.signal.reason)
      await vi.waitFor(async () => expect(isAlive(await pid())).toBe(false))
    })
  })

  test('NODE_DEBUG that would print its login is refused', async () => {
    await kubeconfig('config', 'one')
    const deps = testDeps(folder, { env: { KUBECONFIG: 'config', NODE_DEBUG: 'http,https' } })
    const error = await failure(parseTarget('k8s:a/b#c', deps).check())
    expect(error).toMatchObject({ code: 'target-refused' })
    expect(error.message).toContain('NODE_DEBUG asks Node for http and https')
  })

  test('a program that signs in gets what it needs of the environment, and none of our keys', async () => {
    const secret = new Secret('pk_live_0123456789abcdef')
    const program = path.join(folder, 'login')
    const print = `cat <<EOF
{"kind":"ExecCredential","status":{"token":"$(env | base64 | tr -d '\\n')"}}
EOF`
    await writeFile(program, `#!/bin/sh\n${print}\n`)
    await chmod(program, 0o755)
    const exec = { command: program, env: [{ name: 'OWN', value: 'of-the-kubeconfig' }] }
    const file = await kubeconfig('config', 'one', {}, { exec })
    vi.stubEnv('PICTIFY_ADMIN_KEY', 'pk_live_adminadminadmin')
    vi.stubEnv('OLD_KEY', `x${secret.reveal()}`)
    vi.stubEnv('AWS_PROFILE', 'prod')
    const env = Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? '']))
    const { config } = await find({ ...env, KUBECONFIG: file }, [secret])
    const options: { headers?: Record<string, string> } = {}
    await config.applyToHTTPSOptions(options)
    const [, token = ''] = (options.headers?.['Authorization'] ?? '').split(' ')
    const given = Buffer.from(token, 'base64').toString()
    expect(given).toContain('AWS_PROFILE=prod')
    expect(given).toContain('OWN=of-the-kubeconfig')
    expect(given).not.toMatch(/PICTIFY_ADMIN_KEY|OLD_KEY|pk_live_/)
  })
})
