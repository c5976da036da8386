// Rules of this file:
// - one field is ours, the others stay as they are;
// - undone, what was made where nothing was is deleted by its version, so that a later one cannot be hit.
import { Secret } from '../secret.ts'
import { parseJsonFields } from './json-field.ts'
import { cutField, invalid, type Scheme } from './scheme.ts'
import { Conflict, createStoreTarget, type Cell, type Seen } from './store.ts'
import type { TargetDeps } from './target.ts'
import { createKv, type Found, type Kv } from './vault-kv.ts'
import { proveLogin, proveRights } from './vault-proof.ts'
import { createVaultSession, type VaultSession } from './vault-session.ts'
import { skipsVerify, vaultPlace } from './vault-settings.ts'

const usage = 'vault:<mount>/<path>#<field>'

export const vault: Scheme = {
  usage,
  summary: 'a field of a secret in HashiCorp Vault or OpenBao (KV v2 and v1)',
  create(name, text, deps) {
    const { place: path, field } = cutField(name, text, usage)
    if (field === undefined) {
      throw invalid(
        `${name} does not say which field holds the key`,
        `write ${usage}, for example vault:secret/app#PICTIFY_API_KEY`,
      )
    }
    const segments = path.split('/')
    if (segments.length < 2 || segments.some((segment) => ['', '.', '..'].includes(segment))) {
      throw invalid(`${name} is not the path of a secret`, `write ${usage}, with no slash before or behind`)
    }
    const server = vaultPlace(name, deps)
    const session = createVaultSession(name, server, deps)
    const kv = createKv({ name, path, usage, session })
    const cell = createVaultCell({ name, path, field, kv, session, deps })
    const store = [server.address, server.namespace, path].filter((part) => part !== '').join('/')
    return {
      target: createStoreTarget({ name, place: `${store}#${field}`, cell, deps }),
      place: { store: `vault ${store}`, field },
    }
  },
}

interface VaultSeen extends Seen, Found {}

function createVaultCell({
  name,
  path,
  field,
  kv,
  session,
  deps,
}: {
  name: string
  path: string
  field: string
  kv: Kv
  session: VaultSession
  deps: TargetDeps
}): Cell<VaultSeen> {
  const fieldsOf = ({ data }: Found) => parseJsonFields(data ?? '{}', name)

  /** Takes the field out, and all with it where nothing was there before. Throws Conflict. */
  async function remove(seen: VaultSeen, signal: AbortSignal): Promise<void> {
    const { mount, version } = seen
    const fields = fieldsOf(seen)
    const isAlone = fields.names.length === 1
    // KV v2 can hold a secret without any field; KV v1 cannot
    const wasThere = async () =>
      mount.kv === 2 && version > 1 && (await kv.look(signal, version - 1)).data !== undefined
    if (isAlone && !(await wasThere())) return kv.drop(seen, signal)
    await kv.put(fields.remove(field), seen, signal)
  }

  async function look(signal: AbortSignal): Promise<VaultSeen> {
    const found = await kv.look(signal)
    const value = fieldsOf(found).get(field)
    const version = found.mount.kv === 2 ? String(found.version) : undefined
    return { ...found, held: value === undefined ? undefined : { value: new Secret(value), version } }
  }

  /** KV v1 takes a change whoever came before or right after: see whether it stayed. Throws Conflict. */
  async function seeThatItStayed(value: Secret | undefined, { mount }: Found, signal: AbortSignal) {
    if (mount.kv === 2) return
    const { held } = await look(signal)
    if (value === undefined ? held !== undefined : !held?.value.equals(value)) throw new Conflict()
  }

  return {
    look,

    async prove(seen, signal) {
      const told = [
        ...(await proveRights(name, seen, session, signal)),
        ...(await proveLogin(session, deps, signal)),
      ]
      if (seen.mount.kv === 1) {
        const what = `${seen.mount.path} is KV v1, which has no check-and-set`
        told.push(`${what}: what another writes there in the same instant may be overwritten`)
      }
      if (skipsVerify(name, deps.env)) {
        told.push('VAULT_SKIP_VERIFY is set: whoever is in between can read the key')
      }
      return told
    },

    absence({ mount, data, version }) {
      if (data !== undefined) {
        const { names } = parseJsonFields(data, name)
        const hint = names.length > 0 ? `it has ${names.slice(0, 10).join(', ')}` : 'it has none at all'
        return { message: `${path} has no field ${field}`, hint }
      }
      if (version > 0) return { message: `the latest version of ${path} is deleted` }
      const message = `there is nothing at ${path}`
      if (mount.kv === 1 || !mount.secret.startsWith('data/')) return { message }
      const short = mount.path + mount.secret.slice('data/'.length)
      return { message, hint: `the data/ of the API is left out: did you mean vault:${short}#${field}?` }
    },

    async put(secret, seen, signal) {
      await kv.put(fieldsOf(seen).set(field, secret.reveal()), seen, signal)
      await seeThatItStayed(secret, seen, signal)
    },

    async putBack(held, seen, signal) {
      if (held === undefined) await remove(seen, signal)
      else await kv.put(fieldsOf(seen).set(field, held.value.reveal()), seen, signal)
      await seeThatItStayed(held?.value, seen, signal)
    },
  }
}
