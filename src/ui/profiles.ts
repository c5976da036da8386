import type { Output } from './output.ts'
import { type Column, renderTable } from './table.ts'

/** What `profile list --json` prints of each. */
export interface ProfileRow {
  name: string
  /** Null where nobody is signed in with it. */
  apiUrl: string | null
  /** Where its key lies. */
  store: 'keychain' | 'file' | null
  /** The hint of its key. */
  key: string | null
  type: 'live' | 'test' | null
  inUse: boolean
  /** Why it is the one in use. */
  because: 'flag' | 'environment' | 'chosen' | 'default' | null
}

const reasons = {
  flag: 'by --profile',
  environment: 'by PICTIFY_PROFILE',
  chosen: 'by profile use',
  default: 'by default',
}

export function profileTable(rows: readonly ProfileRow[], { width, paint }: Output): string {
  const shown: Column<ProfileRow>[] = [
    { head: '', value: ({ inUse }) => (inUse ? '*' : ''), paint: (text) => paint.green(text) },
    { head: 'PROFILE', value: ({ name }) => name },
    { head: 'TYPE', value: ({ type }) => type ?? '' },
    { head: 'API', value: ({ apiUrl }) => apiUrl ?? 'signed out', flexible: true },
    { head: 'KEY', value: ({ key }) => key ?? '' },
    { head: 'KEPT IN', value: ({ store }) => (store === 'file' ? 'profile file' : (store ?? '')) },
    { head: 'IN USE', value: ({ because }) => (because === null ? '' : reasons[because]) },
  ]
  return renderTable(shown, rows, { width, paint })
}
