// @ts-check
// A target of one's own: a setting of a service that speaks HTTP and keeps each value with an ETag. docs/writing-a-target.md
// goes through it; the suite that all targets of pictify-keys pass is run on it.
import { setTimeout as sleep } from 'node:timers/promises'
import { KeysError, Secret } from 'pictify-keys'

/** @import { Held, Target } from 'pictify-keys' */

/** How often one request is made again that the service asked to wait for. */
const tries = 3
/** How often a change is made anew that somebody else's came before. */
const changes = 5

/**
 * @param {object} options
 * @param {string} options.url the service, `https://settings.internal`
 * @param {string} options.setting the name of the setting
 * @param {string} options.token who we are, for the service
 * @param {boolean} [options.createTarget] a setting that is not there yet is made
 * @param {number} [options.timeoutMs] how long one answer may take
 * @param {number} [options.longestPauseMs] how long the service may ask to wait
 * @returns {Target}
 */
export function createSettingsTarget({ url, setting, token, createTarget = false, ...limits }) {
  const { timeoutMs = 10_000, longestPauseMs = 5_000 } = limits
  const name = `settings:${setting}`
  const place = new URL(`/settings/${encodeURIComponent(setting)}`, url).href

  /**
   * One request, made again where the service asks to wait. What it throws says what became of the place.
   * @param {'GET' | 'PUT' | 'DELETE'} method
   * @param {{ headers?: Record<string, string>, value?: string, signal?: AbortSignal | undefined }} [details]
   */
  async function call(method, { headers = {}, value, signal } = {}) {
    // a request to change something whose answer is lost may have been heeded
    const lost = method === 'GET' ? 'target-failed' : 'target-unclear'
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      const timeout = AbortSignal.timeout(timeoutMs)
      /** @type {Response} */
      let response
      try {
        response = await fetch(place, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
          body: value === undefined ? null : JSON.stringify({ value }),
          signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
          redirect: 'error',
        })
      } catch (cause) {
        signal?.throwIfAborted()
        const what = timeout.aborted
          ? `no answer within ${timeoutMs / 1_000}s`
          : 'the service cannot be reached'
        throw new KeysError(lost, `${name}: ${what}`, { hint: `see whether ${url} is up`, cause })
      }
      const { status } = response
      if (status === 429 && attempt < tries) {
        const askedMs = Number(response.headers.get('retry-after') ?? 1) * 1_000
        await sleep(Math.min(askedMs, longestPauseMs), undefined, { signal: signal ?? timeout })
        continue
      }
      if (status === 401) {
        throw new KeysError('target-refused', `${name}: the login is not good any more`, {
          hint: 'renew SETTINGS_TOKEN',
        })
      }
      if (status === 403) {
        throw new KeysError('target-refused', `${name}: this login may not write it`, {
          hint: 'give it the role editor',
        })
      }
      if (status === 429 || status >= 500) {
        throw new KeysError(
          status === 429 ? 'target-failed' : lost,
          `${name}: the service answered ${status}`,
          {
            hint: 'run the same command again later',
          },
        )
      }
      return response
    }
  }

  /**
   * What is there now, and its ETag.
   * @param {AbortSignal} [signal]
   * @returns {Promise<{ held: Held | undefined, etag: string }>}
   */
  async function look(signal) {
    const response = await call('GET', { signal })
    if (response.status === 404) return { held: undefined, etag: '' }
    const { value } = response.ok ? /** @type {{ value?: unknown }} */ (await response.json()) : {}
    if (typeof value === 'string')
      return { held: { value: new Secret(value) }, etag: response.headers.get('etag') ?? '' }
    throw new KeysError('target-failed', `${name}: what answers at ${url} is not the settings service`, {
      hint: 'see whether the address is right',
    })
  }

  /**
   * Makes a change on the condition that nobody made one since it was looked at, and looks again where somebody did.
   * @param {(held: Held | undefined) => Secret | 'nothing' | 'remove'} decide
   * @param {AbortSignal} [signal]
   */
  async function change(decide, signal) {
    for (let attempt = 1; attempt <= changes; attempt++) {
      const { held, etag } = await look(signal)
      const next = decide(held)
      if (next === 'nothing') return
      /** @type {Record<string, string>} */
      const headers = held === undefined ? { 'if-none-match': '*' } : { 'if-match': etag }
      const response =
        next === 'remove'
          ? await call('DELETE', { headers, signal })
          : await call('PUT', { headers, value: next.reveal(), signal })
      if (response.ok) return
      // 412: somebody was faster
      if (response.status !== 412) {
        throw new KeysError('target-refused', `${name}: the service does not take it (${response.status})`, {
          hint: 'see what it says of the value',
        })
      }
    }
    throw new KeysError('target-unclear', `${name}: others keep changing it`, {
      hint: 'find out who writes there',
    })
  }

  /** @param {Held | undefined} held */
  function changed(held) {
    // `hint` is the part of a secret that may be shown: pk_live_…x4Kd
    const what = held === undefined ? 'it is gone' : `it holds another value by now (${held.value.hint})`
    return new KeysError('target-changed', `${name}: ${what}`, { hint: 'find out who else writes there' })
  }

  /** @type {(a: Held | undefined, b: Held | undefined) => boolean} */
  const isSame = (a, b) => (a && b ? a.value.equals(b.value) : a === b)

  return {
    name,
    place,
    readback: 'value',

    async check(signal) {
      const { held } = await look(signal)
      if (held === undefined && !createTarget) {
        throw new KeysError('target-refused', `${name}: there is no such setting`, {
          hint: 'check how it is spelt; createTarget (--create-target) makes it',
        })
      }
      // refused for want of the right (403) or because no version has this ETag (412): nothing is changed either way
      await call('PUT', { headers: { 'if-match': '"no version has this"' }, value: '', signal })
    },

    async read(signal) {
      return (await look(signal)).held
    },

    async write(secret, expected, signal) {
      await change((held) => {
        if (held?.value.equals(secret)) return 'nothing'
        if (!isSame(held, expected)) throw changed(held)
        return secret
      }, signal)
    },

    async restore(previous, written, signal) {
      await change((held) => {
        if (isSame(held, previous)) return 'nothing'
        if (!held?.value.equals(written)) throw changed(held)
        return previous?.value ?? 'remove'
      }, signal)
    },
  }
}
