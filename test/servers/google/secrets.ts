// Secret Manager's own state and rules, behind gRPC and REST alike. Names are answered with the project's number, whatever
// they were asked with, as the service does.
import { randomBytes } from 'node:crypto'
import type { Iam } from './iam.ts'
import { Status } from './status.ts'

export const project = { id: 'pictify-test', number: '421000000001' }

interface Version {
  number: number
  data: Buffer | undefined
  sum: number
  state: 'ENABLED' | 'DISABLED' | 'DESTROYED'
  etag: string
  isChecked: boolean
  createTime: Time
}
interface Time {
  seconds: string
  nanos: number
}
/** All that a secret is beside its versions, as the API has it. */
export type Settings = Record<string, unknown> & {
  labels?: Record<string, string>
  versionAliases?: Record<string, string>
}
interface Kept {
  name: string
  settings: Settings
  etag: string
  versions: Version[]
}
export type Request = Record<string, unknown>
type Handler = (request: Request, member: string) => unknown

export interface SecretService {
  methods: Record<string, Handler>
  /** By its name with the project's id. */
  secrets: Map<string, Kept>
  /** How many of the newest versions `latest` does not show yet. */
  lag: number
}

export function createSecretService(iam: Iam): SecretService {
  const secrets = new Map<string, Kept>()
  const service: SecretService = { methods: {}, secrets, lag: 0 }
  let clock = 1_700_000_000

  const tick = (): Time => ({ seconds: String((clock += 1)), nanos: 0 })
  const etag = () => `"${randomBytes(7).toString('hex')}"`
  const byId = (name: string) => name.replace(`projects/${project.number}`, `projects/${project.id}`)
  const byNumber = (name: string) => name.replace(`projects/${project.id}`, `projects/${project.number}`)

  function find(name: string): Kept {
    const kept = secrets.get(name)
    if (!kept) throw new Status('NOT_FOUND', `Secret [${byNumber(name)}] not found.`)
    return kept
  }

  /** The version that a name means; `latest` is the newest, whatever its state. */
  function findVersion(path: string): { kept: Kept; version: Version } {
    const [, name = '', id = ''] = /^(.*)\/versions\/([^/]+)$/.exec(path) ?? []
    const kept = secrets.get(name)
    if (id === 'latest') {
      const version = kept?.versions.at(-1 - Math.min(service.lag, kept.versions.length - 1))
      if (kept && version) return { kept, version }
      throw new Status('NOT_FOUND', `Secret [${byNumber(name)}] not found or has no versions.`)
    }
    const number = kept?.settings.versionAliases?.[id] ?? id
    const version = kept?.versions.find((each) => String(each.number) === number)
    if (kept && version) return { kept, version }
    throw new Status('NOT_FOUND', `Secret Version [${byNumber(path)}] not found.`)
  }

  const nameOf = (kept: Kept, version: Version) => byNumber(`${kept.name}/versions/${version.number}`)
  const shown = (kept: Kept, version: Version) => ({
    name: nameOf(kept, version),
    state: version.state,
    etag: version.etag,
    createTime: version.createTime,
    clientSpecifiedPayloadChecksum: version.isChecked,
  })
  const shownSecret = ({ name, settings, etag }: Kept) => ({ ...settings, name: byNumber(name), etag })

  function holdTo(etag: unknown, current: string): void {
    if (!etag || etag === current) return
    throw new Status('FAILED_PRECONDITION', `The etag provided does not match the current etag.`)
  }

  /** A method whose request names `key`, allowed by `permission` on the secret, or the project, that it lies in. */
  function method(name: string, permission: string | undefined, key: string, handler: Handler): void {
    service.methods[name] = (request, member) => {
      const path = byId(request[key] as string)
      if (permission !== undefined) iam.require(path, member, permission)
      return handler({ ...request, [key]: path }, member)
    }
  }

  function changeState(verb: string, state: Version['state']): void {
    const permission = `secretmanager.versions.${verb}`
    method(`${verb[0]?.toUpperCase()}${verb.slice(1)}SecretVersion`, permission, 'name', (request) => {
      const { kept, version } = findVersion(String(request['name']))
      holdTo(request['etag'], version.etag)
      if (version.state === 'DESTROYED') {
        throw new Status(
          'FAILED_PRECONDITION',
          `Secret Version [${nameOf(kept, version)}] is in DESTROYED state.`,
        )
      }
      if (state === 'DESTROYED') version.data = undefined
      Object.assign(version, { state, etag: etag() })
      return shown(kept, version)
    })
  }
  changeState('disable', 'DISABLED')
  changeState('enable', 'ENABLED')
  changeState('destroy', 'DESTROYED')

  method('CreateSecret', 'secretmanager.secrets.create', 'parent', (request) => {
    const id = String(request['secretId'])
    if (!/^[\w-]{1,255}$/.test(id)) throw new Status('INVALID_ARGUMENT', `Secret ID [${id}] is not valid.`)
    const name = `${String(request['parent'])}/secrets/${id}`
    if (secrets.has(name)) throw new Status('ALREADY_EXISTS', `Secret [${byNumber(name)}] already exists.`)
    const settings = { ...(request['secret'] as Settings), createTime: tick() }
    const isRegional = name.includes('/locations/')
    if (isRegional === ('replication' in settings && Boolean(settings['replication']))) {
      throw new Status('INVALID_ARGUMENT', 'The replication policy does not fit the kind of secret.')
    }
    const kept = { name, settings, etag: etag(), versions: [] }
    secrets.set(name, kept)
    return shownSecret(kept)
  })

  method('GetSecret', 'secretmanager.secrets.get', 'name', ({ name }) => shownSecret(find(String(name))))

  method('DeleteSecret', 'secretmanager.secrets.delete', 'name', (request) => {
    const name = String(request['name'])
    holdTo(request['etag'], find(name).etag)
    secrets.delete(name)
    return {}
  })

  method('AddSecretVersion', 'secretmanager.versions.add', 'parent', (request) => {
    const kept = find(String(request['parent']))
    const { data, dataCrc32c } = request['payload'] as { data: Buffer; dataCrc32c?: string | null }
    if (data.length > 65_536) {
      throw new Status('INVALID_ARGUMENT', `The payload is ${data.length} bytes; at most 65536 are allowed.`)
    }
    const sum = checksum(data)
    const isChecked = dataCrc32c !== undefined && dataCrc32c !== null
    if (isChecked && Number(dataCrc32c) !== sum) {
      throw new Status('INVALID_ARGUMENT', 'The payload does not fit its CRC32C.')
    }
    const number = (kept.versions.at(-1)?.number ?? 0) + 1
    const version = {
      number,
      data,
      sum,
      state: 'ENABLED' as const,
      etag: etag(),
      isChecked,
      createTime: tick(),
    }
    kept.versions.push(version)
    return shown(kept, version)
  })

  method('GetSecretVersion', 'secretmanager.versions.get', 'name', (request) => {
    const { kept, version } = findVersion(String(request['name']))
    return shown(kept, version)
  })

  method('AccessSecretVersion', 'secretmanager.versions.access', 'name', (request) => {
    const { kept, version } = findVersion(String(request['name']))
    if (version.state !== 'ENABLED') {
      const message = `Secret Version [${nameOf(kept, version)}] is in ${version.state} state.`
      throw new Status('FAILED_PRECONDITION', message)
    }
    return { name: nameOf(kept, version), payload: { data: version.data, dataCrc32c: String(version.sum) } }
  })

  method('ListSecretVersions', 'secretmanager.versions.list', 'parent', (request) => {
    const kept = find(String(request['parent']))
    const versions = kept.versions.map((version) => shown(kept, version)).reverse()
    return { versions, totalSize: versions.length }
  })

  method('TestIamPermissions', undefined, 'resource', (request, member) => {
    const resource = String(request['resource'])
    const asked = request['permissions'] as string[]
    const held = secrets.has(resource) ? asked.filter((each) => iam.has(resource, member, each)) : []
    return { permissions: held }
  })

  return service
}

/** CRC-32C bit by bit, by its definition. */
function checksum(data: Buffer): number {
  let sum = 0xffffffff
  for (const byte of data) {
    for (let bit = 0; bit < 8; bit++) {
      const low = (sum ^ (byte >>> bit)) & 1
      sum = (sum >>> 1) ^ (low ? 0x82f63b78 : 0)
    }
  }
  return (sum ^ 0xffffffff) >>> 0
}
