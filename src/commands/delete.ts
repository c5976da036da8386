import { hasCode, KeysError } from '../errors.ts'
import { confirmRevoking, describe, severalKeys, showLastUses } from './chosen-keys.ts'
import { oneLine } from '../ui/text.ts'
import { defineCommand } from './command.ts'
import { missingArgument } from '../flags.ts'

const args = [
  { name: 'keys', summary: 'key ids or names; asked for at a terminal', optional: true, many: true },
] as const

// `delete` is a word of the language, so the command goes by another name in code.
export const deleteKeys = defineCommand({
  name: 'delete',
  summary: 'remove revoked keys from the account',
  args,
  flags: {
    revoke: { type: 'boolean', summary: 'revoke first what is still active' },
    yes: { type: 'boolean', short: 'y', summary: 'skip the question' },
    force: { type: 'boolean', summary: 'with --revoke: even what was used in the last 24 h' },
  },
  examples: ['pictify-keys delete key_abc123', 'pictify-keys delete "Old Server" --revoke'],

  async run(context, { keys: named, revoke, yes, force }) {
    const { out, prompt, signal } = context
    if (named.length === 0 && !out.interactive) throw missingArgument('delete', args, 'keys')
    const api = await context.api()
    const found = await severalKeys(context, api, named, {
      question: revoke
        ? 'Which keys are to be revoked and deleted?'
        : 'Which revoked keys are to be deleted?',
      status: revoke ? undefined : 'revoked',
    })
    const active = found.filter(({ status }) => status === 'active')
    if (active.length > 0 && !revoke) {
      throw new KeysError(
        'api-key-active',
        `only a revoked key can be deleted; still active: ${describe(active)}`,
        {
          hint: 'revoke it first with pictify-keys revoke, or give --revoke to do both',
        },
      )
    }
    await showLastUses(context, api, found, { yes, force })
    // without --force a key of late use is asked about by name, which --yes does not answer
    await confirmRevoking(context, api, active, { yes: true, force })
    if (!yes) await prompt.confirm(`${revoke ? 'Revoke and delete' : 'Delete'} ${describe(found)}?`, '--yes')
    const deleted: string[] = []
    for (const { id, status } of found) {
      signal.throwIfAborted()
      try {
        if (status === 'active') await api.keys.revoke(id)
        await api.keys.delete(id)
      } catch (error) {
        // gone is what was wanted
        if (!hasCode(error, 'api-key-not-found')) throw error
      }
      out.event({ event: 'deleted', keyId: id })
      deleted.push(id)
    }
    out.outputs({ key_ids: deleted.join(',') })
    const names = new Map(found.map(({ id, name }) => [id, name]))
    const sentence = (id: string) => oneLine(`deleted ${names.get(id) ?? ''} (${id})`)
    out.result({ deleted }, () => deleted.map(sentence).join('\n'))
  },
})
