import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Target } from './target.ts'

/** How the stored credential is named among a rotation's targets. */
export const credentialPrefix = 'credential:'

/** A place that keeps the admin credential; the credential stores fit it. */
interface Store {
  read(): Promise<Secret | undefined>
  /** Changes nothing; throws where a write would. */
  proveWritable(): Promise<void>
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
      await store.proveWritable()
    },

    async read() {
      const value = await store.read()
      return value && { value }
    },

    async write(secret, expected) {
      const held = await store.read()
      const isExpected = expected === undefined ? held === undefined : held?.equals(expected.value)
      if (!held?.equals(secret) && !isExpected) throw changed()
      // Even where it is there already: that an earlier run brought it onto the disk is not known.
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
