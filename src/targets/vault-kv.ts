// Rules of this file:
// - a change of KV v2 is made on the condition that the version is the one that was looked at; KV v1 knows no condition, so
//   it is looked at right before;
// - fields are passed on as the server wrote them, to the letter;
// - "there is nothing" is what the server itself says; any other 404 has not looked.
import type { KeysError } from '../errors.ts'
import { refusal } from './refusal.ts'
import { Conflict } from './store.ts'
import { errorsOf, part, said, type Answer } from './vault-answer.ts'
import type { VaultSession } from './vault-session.ts'

export interface Mount {
  readonly kv: 1 | 2
  /** With a slash at its end. */
  readonly path: string
  /** What stands behind the mount. */
  readonly secret: string
}

/** What was found at one path. */
export interface Found {
  readonly mount: Mount
  /** All fields as the server wrote them, a JSON object; undefined: there is nothing, or its latest version is deleted. */
  readonly data: string | undefined
  /** KV v2: the number of the latest version, deleted or not; 0: there was never one. */
  readonly version: number
}

/** One path of a KV store, v2 or v1. */
export interface Kv {
  /** `version`: of KV v2, that one and not the latest. */
  look(signal: AbortSignal, version?: number): Promise<Found>
  /** Puts all fields there. Throws Conflict. */
  put(data: string, found: Found, signal: AbortSignal): Promise<void>
  /** Deletes what was found there: of KV v2 that version, of KV v1 all there is. Throws Conflict. */
  drop(found: Found, signal: AbortSignal): Promise<void>
}

/** The path of the API, as policies name it. */
export function pathOf({ kv, path, secret }: Mount, folder: 'data' | 'delete' = 'data'): string {
  return kv === 1 ? path + secret : `${path}${folder}/${secret}`
}

export function createKv({
  name,
  path,
  usage,
  session,
}: {
  name: string
  path: string
  usage: string
  session: VaultSession
}): Kv {
  let known: Mount | undefined

  /** Any login that has a right to something in a mount may ask this. */
  async function findMount(signal: AbortSignal): Promise<Mount> {
    if (known) return known
    const asked = { method: 'GET', path: `sys/internal/ui/mounts/${path}`, repeatable: true } as const
    const answer = await session.send({ ...asked, needs: 'read', mayBeForbidden: true }, signal)
    if (answer.status === 403) {
      const slash = path.indexOf('/')
      const v2 = `${path.slice(0, slash)}/data${path.slice(slash)}`
      throw refusal(
        `${name}: there is no mount for it, or the login has no right to anything there`,
        `check how it is spelt; the policy of the login must have path "${v2}" (KV v2) or "${path}" (KV v1), see docs/targets.md`,
      )
    }
    if (answer.status !== 200) throw unexpected(answer)
    const { data } = JSON.parse(answer.text) as {
      data: { path: string; type: string; options: { version?: string } | null }
    }
    if (data.type !== 'kv' && data.type !== 'generic') {
      const what = `${data.path} is of the kind ${data.type}, which holds no values`
      throw refusal(`${name}: ${what}`, 'name a path of a kv mount')
    }
    const secret = path.startsWith(data.path) ? path.slice(data.path.length) : ''
    if (secret === '') throw refusal(`${name}: ${path} is a mount, and no secret in it`, `write ${usage}`)
    known = { kv: data.options?.version === '2' ? 2 : 1, path: data.path, secret }
    return known
  }

  async function look(signal: AbortSignal, version?: number): Promise<Found> {
    const mount = await findMount(signal)
    const query = version === undefined ? '' : `?version=${version}`
    const asked = { method: 'GET', path: pathOf(mount), query, repeatable: true } as const
    const answer = await session.send({ ...asked, needs: 'read' }, signal)
    if (part(answer.text, 'wrap_info') !== undefined) {
      throw refusal(
        `${name}: the server gives the value only after somebody allowed it`,
        'a control group guards that path: name one without',
      )
    }
    const isV1 = mount.kv === 1
    const data = isV1 ? part(answer.text, 'data') : part(answer.text, 'data', 'data')
    const number = isV1 ? undefined : part(answer.text, 'data', 'metadata', 'version')
    const isAbsent = number !== undefined || part(answer.text, 'errors') === '[]'
    if (answer.status === 404 && data === undefined && isAbsent) {
      return { mount, data, version: Number(number ?? 0) }
    }
    if (answer.status !== 200 || !data?.startsWith('{') || (!isV1 && number === undefined)) {
      throw unexpected(answer)
    }
    return { mount, data, version: Number(number ?? 0) }
  }

  function unexpected(answer: Answer): KeysError {
    return refusal(`${name}: the server answers ${said(answer)}`, 'are VAULT_ADDR and VAULT_NAMESPACE right?')
  }

  /** The last look before a change that takes no condition. Throws Conflict. */
  async function refuseChanged(found: Found, signal: AbortSignal): Promise<void> {
    if ((await look(signal)).data !== found.data) throw new Conflict()
  }

  return {
    look,

    async put(data, found, signal) {
      const { mount, version } = found
      const isV1 = mount.kv === 1
      if (isV1) await refuseChanged(found, signal)
      const json = isV1 ? data : `{"options":{"cas":${version}},"data":${data}}`
      const needs = found.data === undefined ? 'create or update' : 'update'
      // of KV v2 a second one finds that the first was done
      const asked = { method: 'POST', path: pathOf(mount), json, repeatable: !isV1, needs } as const
      const answer = await session.send(asked, signal)
      if (/check-and-set parameter did not match/.test(errorsOf(answer))) throw new Conflict()
      if (answer.status >= 400) {
        throw refusal(`${name}: the server refuses it (${said(answer)})`, 'see what it asks for')
      }
    },

    async drop(found, signal) {
      const { mount, version } = found
      if (mount.kv === 1) {
        await refuseChanged(found, signal)
        const asked = { method: 'DELETE', path: pathOf(mount), repeatable: false, needs: 'delete' } as const
        await session.send(asked, signal)
        return
      }
      const body = { versions: [version] }
      const asked = { method: 'POST', path: pathOf(mount, 'delete'), body, repeatable: true } as const
      await session.send({ ...asked, needs: 'update' }, signal)
      if ((await look(signal)).version !== version) throw new Conflict()
    },
  }
}
