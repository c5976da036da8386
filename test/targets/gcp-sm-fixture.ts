// A Google of its own for one suite, and what the process needs to find it and to sign in there.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import type { TargetDeps } from '../../src/targets/target.ts'
import { createGoogle, type Google } from '../servers/google/index.ts'
import { certificate } from '../servers/google/roots.ts'
import { project } from '../servers/google/secrets.ts'
import { Status } from '../servers/google/status.ts'
import { old } from './contract-fixture.ts'
import type { Fault, Place } from './contract.ts'
import { testDeps } from './deps.ts'

/** Who the target signs in as. */
export const email = `rotator@${project.id}.iam.gserviceaccount.com`
export const member = `serviceAccount:${email}`
/** Somebody else, who may do everything. */
export const admin = 'user:admin@example.com'
export const parent = `projects/${project.id}`

export interface Stage {
  google: Google
  folder: string
  /** What a process needs. */
  env: Record<string, string>
  /** A new name. */
  name(): string
  place(options?: { field?: string; location?: string }): Place & { secret: string }
  /** A call by somebody else, not by our code. */
  ask(method: string, request: object): unknown
  fail(fault: Fault): Promise<() => Promise<void>>
  /** Of one secret, as `<number> <state>`, oldest first. */
  versions(secret: string): string[]
  close(): Promise<void>
}

export async function createStage(): Promise<Stage> {
  const google = await createGoogle()
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-google-'))
  const keyFile = path.join(folder, 'key.json')
  await writeFile(keyFile, JSON.stringify(google.logins.keyFile(email)), { mode: 0o600 })
  const env = {
    GOOGLE_APPLICATION_CREDENTIALS: keyFile,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: google.grpcUrl,
    // read once, when the library is loaded
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: certificate('ca'),
  }
  google.iam.grant(parent, member, 'roles/secretmanager.admin')
  google.iam.grant(parent, admin, 'roles/secretmanager.admin')
  let count = 0

  const stage: Stage = {
    google,
    folder,
    env,
    name: () => `secret-${(count += 1)}`,
    ask: (method, request) => google.service.methods[method]?.(request as Record<string, unknown>, admin),
    place({ field, location } = {}) {
      const id = stage.name()
      const where = location === undefined ? parent : `${parent}/locations/${location}`
      const secret = `${where}/secrets/${id}`
      const kept = () => google.service.secrets.get(secret)
      const settings = {
        labels: { team: 'billing' },
        annotations: { note: 'grüße' },
        topics: [{ name: `${parent}/topics/changes` }],
        ...(location === undefined && {
          replication: { userManaged: { replicas: [{ location: 'us-east1' }] } },
        }),
      }
      const latest = (): string | undefined => {
        try {
          const { payload } = stage.ask('AccessSecretVersion', { name: `${secret}/versions/latest` }) as {
            payload: { data: Buffer }
          }
          return payload.data.toString('utf8')
        } catch (error) {
          if (error instanceof Status && error.code !== 'PERMISSION_DENIED') return undefined
          throw error
        }
      }
      const others = { user: 'app', list: [1, { [field ?? '']: 'inner' }] }
      return {
        secret,
        spec: `gcp-sm:${secret}${field === undefined ? '' : `#${field}`}`,
        async put(value) {
          if (!kept()) stage.ask('CreateSecret', { parent: where, secretId: id, secret: settings })
          const text =
            field === undefined ? value : JSON.stringify({ ...others, [field]: value }, undefined, 2)
          if (text !== undefined) {
            stage.ask('AddSecretVersion', { parent: secret, payload: { data: Buffer.from(text) } })
            return
          }
          const newest = kept()?.versions.at(-1)
          if (newest) stage.ask('DisableSecretVersion', { name: `${secret}/versions/${newest.number}` })
        },
        async value() {
          const text = latest()
          if (field === undefined || text === undefined) return text
          return (JSON.parse(text) as Record<string, string>)[field]
        },
        async others() {
          const text = field === undefined ? undefined : latest()
          const rest =
            text === undefined ? undefined : text.replace(/,?\s*"key":\s*"(\\.|[^"\\])*"(?=\s*}$)/, '')
          return { settings: kept()?.settings, rest }
        },
        async version() {
          return stage.versions(secret)
        },
      }
    },
    versions: (secret) =>
      (google.service.secrets.get(secret)?.versions ?? []).map(({ number, state }) => `${number} ${state}`),
    async fail(fault) {
      if (fault === 'down') return google.down()
      google.logins.expire(fault === 'expired')
      const throttled = new Status('RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric.')
      google.fault = () => {
        switch (fault) {
          case 'throttled once':
            google.fault = undefined
            return throttled
          case 'throttled':
            return throttled
          case 'slow':
            return 'hang'
          case 'forbidden':
          case 'expired':
          default:
            return undefined
        }
      }
      if (fault === 'forbidden') google.iam.revoke(member)
      return async () => {
        google.fault = undefined
        google.logins.expire(false)
        if (fault === 'forbidden') google.iam.grant(parent, member, 'roles/secretmanager.admin')
      }
    },
    async close() {
      await google.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return stage
}

/** For the suite it is called in: a Google of its own, to which this process signs in anew for each target. */
export function useStage() {
  const stage = {} as Stage
  beforeAll(async () => void Object.assign(stage, await createStage()))
  afterAll(() => stage.close())
  const before = { ...process.env }
  beforeEach(() => void Object.assign(process.env, stage.env))
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
    stage.google.fault = undefined
    stage.google.logins.expire(false)
  })
  return {
    stage,
    /** With an environment object of its own, so that it signs in anew. */
    targetAt: (spec: string, more: Partial<TargetDeps> = {}) =>
      parseTarget(spec, testDeps('/', { env: { ...process.env }, ...more })),
    /** A place that holds the old key. */
    held: async () => {
      const place = stage.place()
      await place.put(old.reveal())
      return place
    },
  }
}

/** As `useStage`, for suites that look at the versions of a secret. */
export function useVersions() {
  const { stage, targetAt } = useStage()
  return {
    stage,
    targetAt,
    add: (secret: string, data: string | Buffer) =>
      stage.ask('AddSecretVersion', { parent: secret, payload: { data: Buffer.from(data) } }),
    change: (secret: string, verb: 'Enable' | 'Disable' | 'Destroy', number: number) =>
      stage.ask(`${verb}SecretVersion`, { name: `${secret}/versions/${number}` }),
    /** The text of the newest. */
    text: (secret: string) => stage.google.service.secrets.get(secret)?.versions.at(-1)?.data?.toString(),
    /** A place that holds the old key, and all of its target that a test needs. */
    held: async (options: { field?: string } = {}) => {
      const place = stage.place(options)
      await place.put(old.reveal())
      const target = targetAt(place.spec)
      return { place, target, secret: place.secret, before: await target.read() }
    },
  }
}
