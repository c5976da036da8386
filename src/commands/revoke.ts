import type { Key } from '../api/contract.ts'
import { confirmRevoking, severalKeys, showLastUses } from './chosen-keys.ts'
import { defineCommand } from './command.ts'
import { missingArgument } from '../flags.ts'

const args = [
  { name: 'keys', summary: 'key ids or names; asked for at a terminal', optional: true, many: true },
] as const

export const revoke = defineCommand({
  name: 'revoke',
  summary: 'stop keys from working, at once and for good',
  args,
  flags: {
    yes: { type: 'boolean', short: 'y', summary: 'skip the question' },
    force: {
      type: 'boolean',
      summary: 'revoke even what was used in the last 24 h, or is the admin key in use',
    },
  },
  examples: ['pictify-keys revoke "Old Server"', 'pictify-keys revoke key_abc123 key_def456 --yes'],

  async run(context, { keys: named, yes, force }) {
    const { out, signal } = context
    if (named.length === 0 && !out.interactive) throw missingArgument('revoke', args, 'keys')
    const api = await context.api()
    const found = await severalKeys(context, api, named, {
      question: 'Which keys are to be revoked?',
      status: 'active',
    })
    const active = found.filter(({ status }) => status === 'active')
    await showLastUses(context, api, active, { yes, force })
    await confirmRevoking(context, api, active, { yes, force })
    const apiKeys: Key[] = []
    for (const key of found) {
      if (key.status === 'revoked') {
        out.event({ event: 'already-revoked', keyId: key.id }, `${key.name} (${key.id}) was already revoked`)
        apiKeys.push(key)
        continue
      }
      signal.throwIfAborted()
      // not cancelled half-way: whether it took effect would be unknown
      apiKeys.push(await api.keys.revoke(key.id))
      out.event({ event: 'revoked', keyId: key.id })
    }
    out.outputs({ key_ids: apiKeys.map(({ id }) => id).join(',') })
    const before = new Set(found.filter(({ status }) => status === 'revoked').map(({ id }) => id))
    out.result({ apiKeys }, (data) =>
      data.apiKeys
        .filter(({ id }) => !before.has(id))
        .map(({ name, id }) => `revoked ${name} (${id})`)
        .join('\n'),
    )
  },
})
