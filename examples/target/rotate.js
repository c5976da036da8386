// @ts-check
// Rotates a key that an application finds in the settings service: node rotate.js "Production Server"
import { createClient, rotate } from 'pictify-keys'
import { createSettingsTarget } from './settings-target.js'

const { PICTIFY_ADMIN_KEY = '', PICTIFY_API_URL, SETTINGS_URL = '', SETTINGS_TOKEN = '' } = process.env
const key = process.argv[2] ?? ''

const client = createClient({ credential: PICTIFY_ADMIN_KEY, baseUrl: PICTIFY_API_URL })
const target = createSettingsTarget({ url: SETTINGS_URL, setting: 'pictify-api-key', token: SETTINGS_TOKEN })

// the defaults are those of the command line; WAITS=short is for rehearsals on the sandbox
const waits = process.env['WAITS'] === 'short' ? { settleMs: 200, idleMs: 0, usageLagMs: 0 } : {}
try {
  const { state, oldKey, newKey } = await rotate(client, key, { targets: [target], ...waits })
  console.log(`${state}: ${oldKey.id} → ${newKey?.id}`)
} finally {
  await client.close()
}
