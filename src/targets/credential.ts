import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Target } from './target.ts'

/** A place that keeps the admin credential; the credential stores fit it. */
interface Store {
  read(): Promise<Secret | undefined>
  write(secret: Secret): Promise<void>
  remove(): Promise<void>
}

/** The credential in use as a target: with `--self`, the successor takes its place there too. */
export function createCredentialTarget(name: string, store: Store): Target {
  function changed(): KeysError {
    return new KeysError('target-changed', `${name}: the stored credential was changed by somebody else`, {
      hint: 'see pictify-keys status',
    })
  }
  return {
    name,
    place: name,
    readback: 'value',

    async check() {
      await store.read()
    },

    async read() {
      const value = await store.read()
      return value && { value }
    },

    async write(secret, expected) {
      const held = await store.read()
      if (held?.equals(secret)) return
      if (expected === undefined ? held !== undefined : !held?.equals(expected.value)) throw changed()
      await store.write(secret)
    },

    async restore(held, written) {
      const now = await store.read()
      if (held === undefined ? now === undefined : now?.equals(held.value)) return
      if (!now?.equals(written)) throw changed()
      await (held === undefined ? store.remove() : store.write(held.value))
    },
  }
}
