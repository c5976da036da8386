// Rules of this file:
// - it lies beside the alerts' state, 0600, written whole and durably every time, by whoever holds their lock;
// - nothing in it is missed: what cannot be read is read from the API again.
import path from 'node:path'
import { readRegularFile, removeDurably, writeDurably } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import { systemCode, systemReason } from '../system-error.ts'
import type { Earlier, KeptLog } from './log-reading.ts'
import { sealed, unsealed } from './sealed-document.ts'
import type { StateFile } from './state-file.ts'

const version = 1
/** What is kept takes less. */
const sizeLimit = 64 * 1024 * 1024

export interface DigestFile {
  path: string
  /** `isSpoilt`: something is there that should not be so. */
  read(): Promise<Earlier & { isSpoilt: boolean }>
  /** Removes it where there is nothing to keep. Throws `state-directory`. */
  save(kept: KeptLog | undefined): Promise<void>
}

/** Beside the alerts' own. */
export function createDigestFile({ path: stateFile, scope }: Pick<StateFile, 'path' | 'scope'>): DigestFile {
  const file = stateFile.replace(/\.json$/, '.log.json')

  return {
    path: file,

    async read() {
      const nothing = (why: string, isSpoilt = true) => ({ kept: undefined, why, isSpoilt })
      let text: string
      try {
        text = (await readRegularFile(file, { sizeLimit })).toString()
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return nothing('no earlier check kept any of it', false)
        return nothing(`${file} cannot be read: ${systemReason(error)}`)
      }
      const document = unsealed<KeptLog>(text, version)
      if ('content' in document) return { kept: document.content, isSpoilt: false }
      return typeof document.problem === 'object'
        ? nothing(`what is kept is of version ${document.problem.version}`, false)
        : nothing(`${file} is torn, or was edited`)
    },

    async save(kept) {
      try {
        if (kept === undefined) await removeDurably(file)
        else await writeDurably(file, sealed(version, scope, kept), { mode: 0o600 })
      } catch (cause) {
        const message = `cannot keep what was read of the audit log in ${path.dirname(file)}: ${systemReason(cause)}`
        throw new KeysError('state-directory', message, {
          hint: 'free or unlock that folder: until then each check reads more than it must',
          cause,
        })
      }
    },
  }
}
