import { keyCard } from '../ui/keys.ts'
import { snippetFlag } from '../ui/snippets.ts'
import { defineCommand } from './command.ts'
import { snippetOf } from './snippet.ts'

export const show = defineCommand({
  name: 'show',
  summary: 'show one key',
  args: [{ name: 'key', summary: 'key id or name' }],
  flags: { snippet: snippetFlag },
  examples: [
    'pictify-keys show "Production Server"',
    'pictify-keys show key_abc123 --json',
    'pictify-keys show key_abc123 --snippet python',
  ],

  async run(context, { key, snippet: kind }) {
    const { out, signal } = context
    const client = await context.api()
    const apiKey = await client.keys.find(key, { signal })
    const snippet = kind && (await snippetOf(context, kind, apiKey.id))
    // as it is, with its tabs: what is printed is a file of its own
    if (snippet && !out.json) return out.lines(snippet.text.split('\n'))
    out.result({ apiKey, ...(snippet && { snippet }) }, (data) => keyCard(data.apiKey, client.now(), out))
  },
})
