import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createPrompts } from '../../src/ui/prompts.ts'

/** A terminal as inquirer needs one; `type` presses keys. */
function openTerminal(interactive = true) {
  const stdin = new PassThrough()
  const stderr = new PassThrough()
  Object.assign(stderr, { isTTY: true, columns: 80 })
  let shown = ''
  stderr.setEncoding('utf8').on('data', (text: string) => (shown += text))
  const abort = new AbortController()
  const prompt = createPrompts({ interactive, stdin: () => stdin, stderr, signal: abort.signal })
  return {
    prompt,
    abort,
    shown: () => shown,
    /** Types once the question stands. */
    async type(question: string, keys: string) {
      await expect.poll(() => shown, { timeout: 30_000 }).toContain(question)
      stdin.write(keys)
    },
  }
}

describe('where nobody can be asked', () => {
  test('every question names the flag that would have answered', async () => {
    const { prompt } = openTerminal(false)
    const refusal = { code: 'needs-answer', exit: 2, hint: 'give --yes' }
    await expect(prompt.confirm('sure?', '--yes')).rejects.toMatchObject(refusal)
    await expect(prompt.typed('name?', 'x', '--yes')).rejects.toMatchObject(refusal)
    await expect(prompt.text('name?', '--yes')).rejects.toMatchObject(refusal)
    await expect(prompt.secret('key?', '--yes')).rejects.toMatchObject(refusal)
    await expect(prompt.select('which?', [], '--yes')).rejects.toMatchObject(refusal)
  })
})

describe('at a terminal', () => {
  test('yes goes on, no and Enter alone do not', async () => {
    for (const [keys, confirmed] of [
      ['y\r', true],
      ['n\r', false],
      ['\r', false],
    ] as const) {
      const terminal = openTerminal()
      const answer = terminal.prompt.confirm('sure?', '--yes').then(() => true)
      await terminal.type('sure?', keys)
      if (confirmed) expect(await answer).toBe(true)
      else
        await expect(answer).rejects.toMatchObject({
          code: 'usage',
          message: 'not confirmed, nothing was changed',
        })
    }
  })

  test('a name must be typed as it is', async () => {
    for (const [keys, confirmed] of [
      ['Prod\r', true],
      ['prod\r', false],
    ] as const) {
      const terminal = openTerminal()
      const answer = terminal.prompt.typed('type Prod', 'Prod', '--force').then(() => true)
      await terminal.type('type Prod', keys)
      if (confirmed) expect(await answer).toBe(true)
      else await expect(answer).rejects.toMatchObject({ code: 'usage' })
    }
  })

  test('a secret is not shown', async () => {
    const terminal = openTerminal()
    const answer = terminal.prompt.secret('key:', 'stdin')
    await terminal.type('key:', 'pk_live_abc\r')
    expect(await answer).toBe('pk_live_abc')
    expect(terminal.shown()).not.toContain('pk_live')
  })

  test('text and a choice', async () => {
    const terminal = openTerminal()
    const text = terminal.prompt.text('name:', '--name')
    await terminal.type('name:', 'App\r')
    expect(await text).toBe('App')
    const other = openTerminal()
    const choice = other.prompt.select(
      'which?',
      [
        { name: 'one', value: 1 },
        { name: 'two', value: 2 },
      ],
      '--n',
    )
    await other.type('which?', '\u001b[B\r')
    expect(await choice).toBe(2)
  })

  test('Ctrl-C and an abort are interruptions', async () => {
    const first = openTerminal()
    const answer = first.prompt.confirm('sure?', '--yes')
    void first.type('sure?', '\u0003')
    await expect(answer).rejects.toMatchObject({ code: 'interrupted' })
    const second = openTerminal()
    const other = second.prompt.confirm('sure?', '--yes')
    const ended = expect(other).rejects.toMatchObject({ code: 'interrupted' })
    await second.type('sure?', '')
    second.abort.abort()
    await ended
  })

  test('control characters of a name do not reach the terminal', async () => {
    const terminal = openTerminal()
    const answer = terminal.prompt.confirm('revoke a\u0007\u202eb?', '--yes').catch(() => undefined)
    await terminal.type('revoke ab?', 'n\r')
    await answer
    expect(terminal.shown()).not.toMatch(/[\u0007\u202e]/)
  })
})
