import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { createPrompts } from '../../src/ui/prompts.ts'

/** A terminal as inquirer needs one; `type` presses keys. */
function openTerminal(interactive = true, whose?: () => Promise<string>) {
  const stdin = new PassThrough()
  const stderr = new PassThrough()
  Object.assign(stderr, { isTTY: true, columns: 80 })
  let shown = ''
  stderr.setEncoding('utf8').on('data', (text: string) => (shown += text))
  const abort = new AbortController()
  const prompt = createPrompts({
    interactive,
    stdin: () => stdin,
    stderr,
    signal: abort.signal,
    ...(whose && { whose }),
  })
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
          code: 'not-confirmed',
          message: 'nothing was done',
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
      else await expect(answer).rejects.toMatchObject({ code: 'not-confirmed' })
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

  test('whose keys it is about stands before the question', async () => {
    const terminal = openTerminal(true, async () => 'acme (live)')
    const answer = terminal.prompt.text('name:', '--name')
    await terminal.type('acme (live) › name:', 'App\r')
    expect(await answer).toBe('App')
  })

  test('text that is refused is told why, and can be mended', async () => {
    const terminal = openTerminal()
    const check = (text: string) => {
      if (text !== 'App') throw new KeysError('usage', 'that is no name', { hint: 'type App' })
    }
    const answer = terminal.prompt.text('name:', '--name', { check, initial: 'Ap' })
    await terminal.type('name: Ap', '\r')
    await terminal.type('that is no name; type App', 'p\r')
    expect(await answer).toBe('App')
  })

  test('a search takes what is marked, or what the cursor is on', async () => {
    const choices = ['Production', 'Staging', 'Worker 1', 'Worker 2'].map((name) => ({ name, value: name }))
    const terminal = openTerminal()
    const many = terminal.prompt.searchMany('which?', choices, '<keys>')
    await terminal.type('search:', 'work\t\t\r')
    expect(await many).toEqual(['Worker 1', 'Worker 2'])
    const other = openTerminal()
    const one = other.prompt.search('which?', choices, '<key>')
    await other.type('search:', 'xyz\r')
    await other.type('nothing matches', '\u007f\u007f\u007f\u001b[B\r')
    expect(await one).toBe('Staging')
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
