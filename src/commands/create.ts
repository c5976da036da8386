import { randomUUID } from 'node:crypto'
import type { KeyAccess, KeyType } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { snippetFlag } from '../ui/snippets.ts'
import { oneLine } from '../ui/text.ts'
import { defineCommand } from './command.ts'
import { deliver, openTargets } from './create-delivery.ts'
import { planHandover } from './create-handover.ts'
import { missingArgument } from '../flags.ts'
import { keyName } from './key-names.ts'
import { warnOfNamesakes } from './namesakes.ts'
import { snippetOf } from './snippet.ts'

const args = [
  {
    name: 'name',
    summary: 'what uses the key, 1 to 100 characters; asked for at a terminal',
    optional: true,
  },
] as const

export const create = defineCommand({
  name: 'create',
  summary: 'create a key; its secret is shown once, or delivered',
  args,
  flags: {
    type: {
      type: 'choice',
      choices: ['live', 'test'],
      summary: 'live counts against the plan, test is watermarked',
    },
    access: { type: 'choice', choices: ['full', 'read-only', 'admin'], summary: 'what the key may do' },
    to: {
      type: 'list',
      value: 'target',
      summary:
        'where the secret goes instead of stdout: env:<file>#<variable>, file:<path>, aws-sm:, gcp-sm:, vault:, k8s:, github:, github-org:, exec:<command>, manual:<label> (docs/targets.md)',
    },
    createTarget: { type: 'boolean', summary: 'make a place in a store that is not there yet' },
    print: { type: 'boolean', summary: 'print the secret even to a terminal, whose scrollback keeps it' },
    snippet: snippetFlag,
    yes: { type: 'boolean', short: 'y', summary: 'replace what a target holds without asking' },
  },
  examples: [
    'pictify-keys create "Production Server" --type live --to env:.env#PICTIFY_API_KEY',
    'pictify-keys create "CI" --type test --access read-only',
    'pictify-keys create "Local" --type test --snippet node',
  ],

  async run(context, { name: typed, type, access, to, createTarget, print, snippet: kind, yes }) {
    const { out } = context
    if (typed === undefined && !out.interactive) throw missingArgument('create', args, 'name')
    const name = await keyName(context, typed, 'What uses the key? (its name)')
    const api = await context.api()
    await warnOfNamesakes(context, api, name)
    // whatever can be wrong with a target is wrong before anything is minted
    const places = await openTargets(context, to, { yes, createTarget })
    const handover = places.length > 0 ? undefined : await planHandover(context, print)
    const chosen = type ?? (await askType(context))
    const may = access ?? (typed === undefined ? await askAccess(context) : undefined)
    context.signal.throwIfAborted()
    // not cancelled by Ctrl-C: a create that is cut off may leave a key behind that nobody knows the secret of
    const minted = await api.keys.create(
      { name, type: chosen, access: may },
      { idempotencyKey: randomUUID(), onSecret: (secret) => context.out.conceal(secret) },
    )
    const { apiKey, secret } = minted
    if (places.length > 0) await deliver(context, api, minted, places)
    if (apiKey === undefined)
      out.warn('the answer held the secret, but nothing else that can be read; see pictify-keys list')
    const key = apiKey ?? { name, type: chosen }
    out.outputs({ key_id: apiKey?.id })
    const snippet = kind && (await snippetOf(context, kind, apiKey?.id))
    const document = { apiKey: key, ...(snippet && { snippet }) }
    const id = apiKey?.id === undefined ? '' : ` (${apiKey.id})`
    if (places.length === 0 && handover === undefined) {
      out.say(`created ${name}${id}; this is its secret, which is not shown again:`)
      out.result({ ...document, secret: secret.reveal() }, (data) => data.secret)
      if (snippet) out.say('', ...snippet.text.split('\n'))
      return
    }
    const sentence =
      handover === undefined
        ? `created ${key.name}${id}; its secret is in ${to.join(', ')}`
        : await handover({ name: key.name, type: chosen, id: apiKey?.id, secret, snippet: snippet?.text })
    if (snippet && !out.json) {
      out.say(sentence)
      return out.lines(snippet.text.split('\n'))
    }
    out.result(document, () => oneLine(sentence))
  },
})

/** A test key where a live one belongs fails without an auth error, so the type is never guessed. */
function askType({ prompt }: Context): Promise<KeyType> {
  const choices: { name: string; value: KeyType }[] = [
    { name: 'live: full access, counts against the plan', value: 'live' },
    { name: 'test: 100 renders a day, watermarked', value: 'test' },
  ]
  return prompt.select('A live or a test key?', choices, '--type live or --type test')
}

function askAccess({ prompt }: Context): Promise<KeyAccess> {
  const choices: { name: string; value: KeyAccess }[] = [
    { name: 'full: renders, and all that an application needs', value: 'full' },
    { name: 'read-only: looks at templates and images', value: 'read-only' },
    { name: 'admin: also manages keys', value: 'admin' },
  ]
  return prompt.select('What may it do?', choices, '--access full, --access read-only or --access admin')
}
