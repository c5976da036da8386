// Rules of this file:
// - the file holds profiles and preferences; what it keeps of a credential is there because the user said so;
// - the file is 0600 and its folder 0700, whatever the umask says;
// - it may hold the only copy of an admin key: it is replaced whole and durably, and a link in its place is replaced,
//   never followed out, though one that the user made is read.
import { chmod, stat } from 'node:fs/promises'
import path from 'node:path'
import envPaths from 'env-paths'
import type { Plan } from './api/contract.ts'
import {
  ensurePrivateDirectory,
  proveFolder,
  readRegularFile,
  systemCode,
  systemReason,
  writeDurably,
} from './durable-file.ts'
import { KeysError } from './errors.ts'
import { parseSecret, type Secret } from './secret.ts'

export interface Settings {
  apiUrl?: string
  plan?: Plan
  /** The file `--ca-file` named when the profile was signed in. */
  caFile?: string
  insecureHttp?: boolean
}

/** A change of a profile: a setting that is undefined is removed. */
export type SettingsChange = { [K in keyof Settings]?: Settings[K] | undefined } & {
  adminKey?: Secret | undefined
}

/** The profile in force, and the file it lies in. */
export interface Config {
  /** The file, whether or not it is there. */
  readonly path: string
  /** The profile's name. */
  readonly profile: string
  readonly settings: Readonly<Settings>
  /** Whether the file holds a credential of the profile, be it one that cannot be read. */
  readonly hasAdminKey: boolean
  /** The credential that `login --store file` left. Throws `config-unreadable` when it cannot be one. */
  adminKey(): Secret | undefined
  /** The file's permission bits; undefined when it is not there. */
  mode(): Promise<number | undefined>
  /** Reads the file again: what it holds now, and not what it held when it was opened. */
  reread(): Promise<void>
  /** Proves that it can be changed. Throws `config-unreadable`. */
  proveWritable(): Promise<void>
  /** Changes what is named and leaves the rest. Throws `config-unreadable` when the file cannot be written. */
  change(change: SettingsChange): Promise<void>
}

interface Stored extends Settings {
  adminKey?: string
}

export const defaultProfile = 'default'
const fileName = 'config.json'

/** The folders of this program as the system has them: `config` for profiles, `data` for journals. */
export function systemFolders(): { config: string; data: string } {
  const { config, data } = envPaths('pictify-keys', { suffix: '' })
  return { config, data }
}

/** Reads the profile. Throws `config-unreadable` naming the file when it is not what this program wrote. */
export async function openConfig(folder: string, profile: string = defaultProfile): Promise<Config> {
  const file = path.join(folder, fileName)
  let stored = await readProfile(file, profile)

  return {
    path: file,
    profile,
    get settings() {
      const { adminKey: _, ...settings } = stored
      return settings
    },
    get hasAdminKey() {
      return stored.adminKey !== undefined
    },
    adminKey() {
      return stored.adminKey === undefined
        ? undefined
        : parseSecret(stored.adminKey, `the credential in ${file}`)
    },
    mode: () => modeOf(file),

    async reread() {
      stored = await readProfile(file, profile)
    },

    proveWritable: () =>
      writing(file, async () => {
        await ensurePrivateDirectory(folder)
        await proveFolder(folder, ((await readText(file))?.length ?? 0) + roomForChange)
      }),

    async change(change) {
      await writing(file, async () => {
        await ensurePrivateDirectory(folder)
        await chmod(folder, 0o700)
        // Another process may have changed the file meanwhile: what it wrote is read, and kept.
        for (let attempt = 1; ; attempt++) {
          try {
            stored = await replaceProfile(file, profile, change)
            return
          } catch (error) {
            if (!(error instanceof Overtaken) || attempt === changeAttempts) throw error
          }
        }
      })
    },
  }
}

/** The file is not what the change was made from. */
class Overtaken extends Error {
  override message = 'another process keeps changing it'
}

const changeAttempts = 5

async function replaceProfile(file: string, profile: string, change: SettingsChange): Promise<Stored> {
  const text = await readText(file)
  const document = parseDocument(file, text)
  const next: Record<string, unknown> = { ...profileIn(document, file, profile), ...change }
  // this file is where the value leaves for: a Secret would be written as [secret]
  if (change.adminKey !== undefined) next['adminKey'] = change.adminKey.reveal()
  const kept = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined))
  // by entries, for a profile may be called __proto__
  const profiles = Object.fromEntries([...Object.entries(document.profiles ?? {}), [profile, kept]])
  await writeDurably(file, `${JSON.stringify({ ...document, profiles }, undefined, '\t')}\n`, {
    mode: 0o600,
    beforeRename: async () => {
      if ((await readText(file)) !== text) throw new Overtaken()
    },
  })
  return kept
}

/** What a change adds at most, so that a full disk shows before a key is minted for it. */
const roomForChange = 1_024
/** Profiles are a few hundred bytes each. */
const sizeLimit = 1024 * 1024

interface Document extends Record<string, unknown> {
  profiles?: Record<string, unknown>
}

/** Undefined where there is no file. */
async function readText(file: string): Promise<string | undefined> {
  try {
    return (await readRegularFile(file, { sizeLimit, links: true })).toString()
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw unreadable(file, systemReason(cause), cause)
  }
}

async function readDocument(file: string): Promise<Document> {
  return parseDocument(file, await readText(file))
}

function parseDocument(file: string, text: string | undefined): Document {
  if (text === undefined) return {}
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw unreadable(file, 'it is not JSON', cause)
  }
  if (!isRecord(document)) throw unreadable(file, 'it is not an object')
  const { profiles = {} } = document
  if (!isRecord(profiles)) throw unreadable(file, 'its profiles are not an object')
  return { ...document, profiles }
}

async function readProfile(file: string, profile: string): Promise<Stored> {
  return profileIn(await readDocument(file), file, profile)
}

function profileIn({ profiles = {} }: Document, file: string, profile: string): Stored {
  const stored = Object.hasOwn(profiles, profile) ? profiles[profile] : {}
  if (!isRecord(stored)) throw unreadable(file, `its profile ${profile} is not an object`)
  for (const [name, type] of Object.entries(types)) {
    if (stored[name] !== undefined && typeof stored[name] !== type) {
      throw unreadable(file, `the ${name} of its profile ${profile} is not a ${type}`)
    }
  }
  return stored
}

const types: Record<keyof Stored, string> = {
  apiUrl: 'string',
  plan: 'string',
  caFile: 'string',
  insecureHttp: 'boolean',
  adminKey: 'string',
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function modeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode & 0o777
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw unreadable(file, systemReason(error), error)
  }
}

async function writing(file: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (cause) {
    if (cause instanceof KeysError) throw cause
    throw new KeysError(
      'config-unreadable',
      `cannot write the profile file ${file}: ${systemReason(cause)}`,
      {
        hint: 'make the folder writable, or set PICTIFY_ADMIN_KEY instead',
        cause,
      },
    )
  }
}

function unreadable(file: string, reason: string, cause?: unknown): KeysError {
  return new KeysError('config-unreadable', `cannot read the profile file ${file}: ${reason}`, {
    hint: 'repair it or delete it, then run pictify-keys login again',
    cause,
  })
}
