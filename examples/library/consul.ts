// A target of one's own: a key in Consul's key-value store, which applications there read through consul-template.
import { KeysError, Secret, type Held, type Target } from 'pictify-keys'

export interface ConsulOptions {
  /** Of the agent: `http://127.0.0.1:8500`. */
  url: string
  /** The path in the store: `shop/pictify/api-key`. */
  key: string
  token?: string
}

/** What the store holds, and the number of its last change, by which another's change in between is seen. */
interface Entry {
  value: Secret
  index: string
}

export function createConsulTarget({ url, key, token }: ConsulOptions): Target {
  const name = `consul:${key}`
  const place = `${url}/v1/kv/${key}`
  const headers: Record<string, string> = token === undefined ? {} : { 'x-consul-token': token }

  async function call(
    method: 'GET' | 'PUT' | 'DELETE',
    query: string,
    signal: AbortSignal | undefined,
    body?: string,
  ) {
    const init = { method, headers, ...(signal && { signal }), ...(body !== undefined && { body }) }
    const answer = await fetch(`${place}${query}`, init)
    if (answer.status === 403) {
      throw new KeysError(
        'target-refused',
        `${name}: the token may not ${method === 'GET' ? 'read' : 'write'} it`,
        {
          hint: `give it a policy with key "${key}" { policy = "write" }`,
        },
      )
    }
    if (!answer.ok && answer.status !== 404) {
      // a write that answers like this may have been done all the same
      const code = method === 'GET' ? 'target-failed' : 'target-unclear'
      throw new KeysError(code, `${name}: the store answers ${answer.status}`, { status: answer.status })
    }
    return answer
  }

  async function look(signal: AbortSignal | undefined): Promise<Entry | undefined> {
    const answer = await call('GET', '', signal)
    // proved absent: the store itself says so
    if (answer.status === 404) return undefined
    const [entry] = (await answer.json()) as { Value: string; ModifyIndex: number }[]
    if (entry === undefined)
      throw new KeysError('target-failed', `${name}: the store's answer cannot be read`)
    const value = new Secret(Buffer.from(entry.Value, 'base64').toString('utf8'))
    return { value, index: String(entry.ModifyIndex) }
  }

  /** Only where nobody changed it since it was looked at. */
  async function put(secret: Secret, index: string, signal: AbortSignal | undefined): Promise<void> {
    const answer = await call('PUT', `?cas=${index}`, signal, secret.reveal())
    if ((await answer.text()).trim() === 'true') return
    throw changed()
  }

  const changed = () =>
    new KeysError('target-changed', `${name} was changed by somebody else`, {
      hint: 'find out who else writes there, then run it again',
    })

  return {
    name,
    place,
    readback: 'value',
    timeoutMs: 10_000,

    async check(signal) {
      await look(signal)
    },

    async read(signal): Promise<Held | undefined> {
      return look(signal)
    },

    async write(secret, expected, signal) {
      const now = await look(signal)
      // it is there already: an earlier attempt whose answer was lost
      if (now?.value.equals(secret)) return
      const asExpected = expected === undefined ? now === undefined : now?.value.equals(expected.value)
      if (!asExpected) throw changed()
      await put(secret, now?.index ?? '0', signal)
    },

    async restore(held, written, signal) {
      const now = await look(signal)
      if (held === undefined ? now === undefined : now?.value.equals(held.value)) return
      if (!now?.value.equals(written)) throw changed()
      if (held !== undefined) return put(held.value, now.index, signal)
      const answer = await call('DELETE', `?cas=${now.index}`, signal)
      if ((await answer.text()).trim() !== 'true') throw changed()
    },
  }
}
