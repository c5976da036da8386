import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readSigningSecret, signatureHeaders } from '../../src/alerts/webhook.ts'
import { signingSecret } from '../alerts/receiver.ts'
import { has } from '../cli/programs.ts'
import { blocks } from './documents.ts'

const folder = await mkdtemp(path.join(tmpdir(), 'webhook-signature-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const body = '{"type":"alert.firing","data":{"rule":"größer"}}'
const headersOf = (at: number) =>
  signatureHeaders('msg_1', at, body, readSigningSecret('ALERTS_WEBHOOK_SECRET', signingSecret))

const programs = [
  { language: 'js', program: process.execPath, file: 'verify.mjs' },
  { language: 'python', program: 'python3', file: 'verify.py' },
]

describe.each(programs)('$file of docs/alerts.md', ({ language, program, file }) => {
  const block = blocks.find((each) => each.document === 'docs/alerts.md' && each.language === language)

  async function ends(headers: Record<string, string>, text: string): Promise<number | null> {
    const at = path.join(folder, file)
    await writeFile(at, block?.lines.join('\n') ?? '')
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
    const { status, stderr } = spawnSync(program, [at, ...names.map((name) => headers[name] ?? '')], {
      input: text,
      env: { ...process.env, ALERTS_WEBHOOK_SECRET: signingSecret },
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    return status
  }

  it.skipIf(!has(program))('takes what was sent, and nothing else', async () => {
    const headers = headersOf(Date.now())
    expect(await ends(headers, body)).toBe(0)
    // one key of several, as while it is changed
    const several = { ...headers, 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` }
    expect(await ends(several, body)).toBe(0)
    expect(await ends(headers, `${body} `)).toBe(1)
    expect(await ends({ ...headers, 'webhook-id': 'msg_2' }, body)).toBe(1)
    expect(await ends({ ...headers, 'webhook-signature': 'v1,AAAA' }, body)).toBe(1)
    expect(await ends(headersOf(Date.now() - 600_000), body)).toBe(1)
  })
})
