import { keyCard } from '../ui/keys.ts'
import { defineCommand } from './command.ts'

export const show = defineCommand({
  name: 'show',
  summary: 'show one key',
  args: [{ name: 'key', summary: 'key id or name' }],
  examples: ['pictify-keys show "Production Server"', 'pictify-keys show key_abc123 --json'],

  async run({ api, out, signal }, { key }) {
    const client = await api()
    const apiKey = await client.keys.find(key, { signal })
    out.result({ apiKey }, (data) => keyCard(data.apiKey, client.now(), out))
  },
})
