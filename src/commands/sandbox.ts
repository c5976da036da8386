import { resolve } from 'node:path'
import { formatDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import { faultForm, faultTerms } from '../sandbox/faults.ts'
import { parts, type Part } from '../sandbox/parts.ts'
import { defineCommand } from './command.ts'

export const sandbox = defineCommand({
  name: 'sandbox',
  summary: 'run a local Pictify to rehearse on',
  flags: {
    port: { type: 'count', value: 'port', default: 0, summary: 'where to listen; 0 takes any free port' },
    plan: {
      type: 'choice',
      choices: ['free', 'pro', 'business', 'enterprise'],
      default: 'pro',
      summary: 'the plan, which sets key and rate limits',
    },
    propagation: {
      type: 'duration',
      default: '2s',
      summary: 'how long a new key takes to be accepted everywhere',
    },
    usageLag: { type: 'duration', default: '0s', summary: 'how late usage and last uses show' },
    keys: {
      type: 'count',
      value: 'count',
      default: 0,
      summary: 'begin with this many keys that have a past',
    },
    events: {
      type: 'count',
      value: 'count',
      summary:
        'so many requests of these keys in the 30 days before; without it as many as come by themselves',
    },
    without: {
      type: 'list',
      value: 'part',
      summary: 'be an API that has no audit-log, no usage, or neither (audit-log,usage)',
    },
    fault: { type: 'list', value: 'what', summary: `misbehave: ${faultForm}` },
    data: { type: 'string', value: 'file', summary: 'keep everything in this file from one run to the next' },
  },
  terms: { Faults: faultTerms },
  examples: [
    'pictify-keys sandbox',
    'pictify-keys sandbox --plan business --keys 40 --usage-lag 5s',
    'pictify-keys sandbox --plan enterprise --keys 10000 --events 5000000',
    "pictify-keys sandbox --fault 'lose-answer:POST /api-keys@1' --fault status-503@10%",
  ],

  async run({ out, signal, cwd }, inputs) {
    const { port, plan, propagation, usageLag, keys, events, fault, data } = inputs
    if (port > 65_535) {
      throw new KeysError('usage', `there is no port ${port}`, { hint: 'give --port 0 to 65535' })
    }
    const without = partsOf(inputs.without)
    const { createSandbox } = await import('../sandbox/server.ts')
    const server = await createSandbox({
      port,
      plan,
      propagationMs: propagation,
      usageLagMs: usageLag,
      keys,
      events,
      without,
      faults: fault,
      data: data === undefined ? undefined : resolve(cwd, data),
    })
    try {
      const { url } = server
      const adminKey = server.adminKey.reveal()
      if (out.json) {
        await out.line(JSON.stringify({ url, adminKey }))
      } else {
        out.say(
          `a local Pictify runs at ${url} (plan ${plan}, a new key takes ${formatDuration(propagation)} to spread)`,
        )
        out.say('its admin key is in the second of these lines; they point pictify-keys at it:', '')
        await out.line(`export PICTIFY_API_URL=${url}`)
        await out.line(`export PICTIFY_ADMIN_KEY=${adminKey}`)
        out.say('', 'Ctrl-C stops it')
      }
      await aborted(signal)
    } finally {
      await server.close()
    }
  },
})

function partsOf(given: readonly string[]): Part[] {
  return given
    .flatMap((text) => text.split(','))
    .map((word) => {
      const part = parts.find((each) => each === word.trim())
      if (part !== undefined) return part
      throw new KeysError('usage', `--without: "${word}" is nothing that an API may be without`, {
        hint: `give ${parts.join(', ')}, or several with commas between them`,
      })
    })
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
