// Rules of this file:
// - the profile file holds profiles and preferences; what it keeps of a credential is there because the user said so,
//   and of one that lies in the keychain it knows what tells that key from others, never the key.
import path from 'node:path'
import envPaths from 'env-paths'
import type { Plan } from './api/contract.ts'
import { KeysError } from './errors.ts'
import {
  changeProfileFile,
  isRecord,
  modeOf,
  type ProfileDocument,
  proveProfileFile,
  readProfileFile,
  unreadable,
} from './profile-file.ts'
import { parseSecret, type Secret } from './secret.ts'

export interface Settings {
  apiUrl?: string
  plan?: Plan
  /** The file `--ca-file` named when the profile was signed in. */
  caFile?: string
  insecureHttp?: boolean
}

/** What is known of a profile's credential without a look at the credential itself. */
export interface CredentialFacts {
  /** Set where the credential lies in the keychain; without it the file's own is in force, if it has one. */
  store?: 'keychain'
  /** `pk_live_…wxyz`. */
  keyHint?: string
  /** Of the key in the keychain, and of one that is on its way there. */
  keyFingerprints?: string[]
  /** Of the key that `login` was given: any other came from a rotation, and lies nowhere else for all that is known. */
  givenFingerprint?: string
}

/** A change of a profile: what is undefined is removed. */
export type ProfileChange = {
  [K in keyof (Settings & CredentialFacts)]?: (Settings & CredentialFacts)[K] | undefined
} & { adminKey?: Secret | undefined }

/** A profile, and the file it lies in. */
export interface Config {
  /** The file, whether or not it is there. */
  readonly path: string
  /** The profile's name. */
  readonly profile: string
  /** Whether it is the one that needs no name. */
  readonly isDefault: boolean
  /** Whether the file knows the profile. */
  readonly exists: boolean
  /** Every profile that the file knows. */
  readonly profiles: readonly string[]
  readonly settings: Readonly<Settings>
  readonly facts: Readonly<CredentialFacts>
  /** Whether the file holds a credential of the profile, be it one that cannot be read. */
  readonly hasAdminKey: boolean
  /** Where the credential in force lies; undefined where there is none. */
  readonly store: 'keychain' | 'file' | undefined
  /** The credential that `login --store file` left. Throws `config-unreadable` when it cannot be one. */
  adminKey(): Secret | undefined
  /** The file's permission bits; undefined when it is not there. */
  mode(): Promise<number | undefined>
  /** Reads the file again: what it holds now, and not what it held when it was opened. */
  reread(): Promise<void>
  /** Proves that it can be changed. Throws `config-unreadable`. */
  proveWritable(): Promise<void>
  /** Changes what is named and leaves the rest. Throws `config-unreadable` when the file cannot be written. */
  change(change: ProfileChange): Promise<void>
  /** Makes it the profile of every command that is told of no other. */
  choose(): Promise<void>
  /** Forgets the profile with all its settings. */
  remove(): Promise<void>
}

interface Stored extends Settings, CredentialFacts {
  adminKey?: string
}

export const defaultProfile = 'default'
const fileName = 'config.json'
/** A name is part of command lines, of questions and of the keychain's entries. */
const nameForm = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/

/** This program's folders as the system has them: `config` for profiles, `data` for journals, `cache` for what may go. */
export function systemFolders(): { config: string; data: string; cache: string } {
  const { config, data, cache } = envPaths('pictify-keys', { suffix: '' })
  return { config, data, cache }
}

/**
 * Reads a profile: the one named, else the one that `profile use` chose. Throws `config-unreadable` naming the file when
 * it is not what this program wrote, and `usage` for a name that no profile can have.
 */
export async function openConfig(folder: string, named?: string): Promise<Config> {
  const file = path.join(folder, fileName)
  let document = await readProfileFile(file)
  const profile = named ?? document.profile ?? defaultProfile
  const isKnown = () => Object.hasOwn(document.profiles ?? {}, profile)
  if (!isKnown()) refuseName(profile)
  let stored = profileIn(document, file, profile)

  return {
    path: file,
    profile,
    isDefault: profile === defaultProfile,
    get exists() {
      return isKnown()
    },
    get profiles() {
      return Object.keys(document.profiles ?? {})
    },
    get settings() {
      const {
        adminKey: _,
        store: _s,
        keyHint: _h,
        keyFingerprints: _f,
        givenFingerprint: _g,
        ...rest
      } = stored
      return rest
    },
    get facts() {
      const { store, keyHint, keyFingerprints, givenFingerprint } = stored
      return present({ store, keyHint, keyFingerprints, givenFingerprint })
    },
    get hasAdminKey() {
      return stored.adminKey !== undefined
    },
    get store() {
      if (stored.adminKey !== undefined) return 'file'
      return stored.store
    },
    adminKey() {
      return stored.adminKey === undefined
        ? undefined
        : parseSecret(stored.adminKey, `the credential in ${file}`)
    },
    mode: () => modeOf(file),

    async reread() {
      document = await readProfileFile(file)
      stored = profileIn(document, file, profile)
    },

    proveWritable: () => proveProfileFile(file),

    async change(change) {
      document = await changeProfileFile(file, (current) => changed(current, file, profile, change))
      stored = profileIn(document, file, profile)
    },

    async choose() {
      document = await changeProfileFile(file, (current) =>
        present({ ...current, profile: profile === defaultProfile ? undefined : profile }),
      )
    },

    async remove() {
      document = await changeProfileFile(file, ({ profiles = {}, ...current }) =>
        present({
          ...current,
          profile: current.profile === profile ? undefined : current.profile,
          profiles: Object.fromEntries(Object.entries(profiles).filter(([name]) => name !== profile)),
        }),
      )
      stored = {}
    },
  }
}

function refuseName(name: string): void {
  if (nameForm.test(name)) return
  throw new KeysError('usage', `no profile can be called "${name}"`, {
    hint: 'a name has letters, digits, dots, dashes and underscores, 64 at most, and begins with none of . and -',
  })
}

function changed(
  document: ProfileDocument,
  file: string,
  profile: string,
  change: ProfileChange,
): ProfileDocument {
  const next: Record<string, unknown> = { ...profileIn(document, file, profile), ...change }
  // this file is where the value leaves for: a Secret would be written as [secret]
  if (change.adminKey !== undefined) next['adminKey'] = change.adminKey.reveal()
  // by entries, for a profile may be called __proto__
  const profiles = Object.fromEntries([...Object.entries(document.profiles ?? {}), [profile, present(next)]])
  return { ...document, profiles }
}

function profileIn({ profiles = {} }: ProfileDocument, file: string, profile: string): Stored {
  const stored = Object.hasOwn(profiles, profile) ? profiles[profile] : {}
  if (!isRecord(stored)) throw unreadable(file, `its profile ${profile} is not an object`)
  for (const [name, [what, fits]] of Object.entries(forms)) {
    if (stored[name] !== undefined && !fits(stored[name])) {
      throw unreadable(file, `the ${name} of its profile ${profile} is not ${what}`)
    }
  }
  return stored
}

type Form = [what: string, fits: (value: unknown) => boolean]
const text: Form = ['a string', (value) => typeof value === 'string']
const forms: Record<keyof Stored, Form> = {
  apiUrl: text,
  plan: text,
  caFile: text,
  insecureHttp: ['a boolean', (value) => typeof value === 'boolean'],
  adminKey: text,
  store: ['a place that this version knows', (value) => value === 'keychain'],
  keyHint: text,
  keyFingerprints: [
    'a list of strings',
    (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
  ],
  givenFingerprint: text,
}

/** Without what is undefined. */
function present<T extends object>(
  record: T,
): { [K in keyof T]: undefined extends T[K] ? Exclude<T[K], undefined> : T[K] } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never
}
