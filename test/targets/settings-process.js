// The target of examples/target/ in a process that knows no more of it than its environment.
import { Secret } from 'pictify-keys'
import { createSettingsTarget } from '../../examples/target/settings-target.js'

export { Secret }

export function create(spec) {
  const { SETTINGS_URL: url = '', SETTINGS_TOKEN: token = '' } = process.env
  return createSettingsTarget({ url, token, setting: spec.replace('settings:', ''), createTarget: true })
}
