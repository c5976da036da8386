import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { createPrompts } from '../../src/ui/prompts.ts'

/** A screen reader's terminal: what it was given to read, and a keyboard whose lines the terminal itself edits. */
function openTerminal() {
  const stdin = new PassThrough()
  const stderr = new PassThrough()
  let shown = ''
  stderr.setEncoding('utf8').on('data', (text: string) => (shown += text))
  const abort = new AbortController()
  const prompt = createPrompts({
    interactive: true,
    stdin: () => stdin,
    stderr,
    signal: abort.signal,
    plain: true,
  })
  return {
    prompt,
    stdin,
    abort,
    shown: () => shown,
    async type(question: string, line: string) {
      await expect.poll(() => shown, { timeout: 30_000 }).toContain(question)
      stdin.write(`${line}\n`)
    },
  }
}

const fruit = ['apple', 'pear', 'plum'].map((name) => ({ name, value: name, description: `a ${name}` }))

describe('questions in lines', () => {
  test('never draw anything anew', async () => {
    const terminal = openTerminal()
    const answer = terminal.prompt.select('which?', fruit, '--fruit')
    await terminal.type('number:', '9')
    await terminal.type('type a number from 1 to 3', '2')
    expect(await answer).toBe('pear')
    expect(terminal.shown()).toBe(
      'which?\n1. apple: a apple\n2. pear: a pear\n3. plum: a plum\nnumber: type a number from 1 to 3\nnumber: ',
    )
  })

  test.each([
    ['y', true],
    ['YES', true],
    ['', false],
    ['n', false],
  ])('confirm takes "%s"', async (line, isYes) => {
    const terminal = openTerminal()
    const answer = terminal.prompt.confirm('sure?', '--yes').then(() => true)
    const seen = isYes
      ? expect(answer).resolves.toBe(true)
      : expect(answer).rejects.toMatchObject({ exit: 1 })
    await terminal.type('sure?', line)
    await seen
  })

  test('text is checked, has a default, and is trimmed', async () => {
    const terminal = openTerminal()
    const check = (text: string) => {
      if (text === 'bad') throw new KeysError('usage', 'that is bad', { hint: 'be good' })
    }
    const answer = terminal.prompt.text('name?', '--name', { check, default: 'app' })
    await terminal.type('name? (Enter for app)', 'bad')
    await terminal.type('that is bad; be good', '')
    expect(await answer).toBe('app')
    const other = openTerminal()
    const typed = other.prompt.text('name?', '--name', { check })
    await other.type('name?', '  x y ')
    expect(await typed).toBe('x y')
  })

  test('several are chosen by their numbers; Enter takes what is chosen to begin with', async () => {
    const terminal = openTerminal()
    const choices = fruit.map((each, index) => ({ ...each, checked: index === 0 }))
    const check = (chosen: string[]) => {
      if (chosen.includes('plum')) throw new KeysError('usage', 'no plums')
    }
    const answer = terminal.prompt.checkbox('which?', choices, '--fruit', check)
    await terminal.type('numbers (Enter for 1):', '1, 3')
    await terminal.type('no plums', '1 2 2')
    expect(await answer).toEqual(['apple', 'pear'])
    const other = openTerminal()
    const same = other.prompt.checkbox('which?', choices, '--fruit')
    await other.type('numbers', '')
    expect(await same).toEqual(['apple'])
  })

  test('a search lists what has the words, and takes numbers of that list', async () => {
    const terminal = openTerminal()
    const many = Array.from({ length: 50 }, (_, index) => ({ name: `key ${index}`, value: index }))
    const answer = terminal.prompt.searchMany('which?', many, '<keys>')
    await terminal.type('and 30 more', 'nothing like it')
    await terminal.type('nothing matches', '49')
    await terminal.type('1 found', '1')
    expect(await answer).toEqual([49])
    const one = openTerminal()
    const only = one.prompt.search('which?', fruit, '<fruit>')
    await one.type('number, or words', '1 2')
    await one.type('nothing matches', 'pl')
    await one.type('2 found', '2')
    expect(await only).toBe('plum')
  })

  test.each([
    ['in one piece', ['some notes\ny\n']],
    ['line by line', ['some notes\n', 'y\n']],
    ['with a line that is not ended', ['y\n', 'some notes']],
  ])('several lines that come at once, %s, answer nothing', async (_, pieces) => {
    const terminal = openTerminal()
    const answer = terminal.prompt.confirm('sure?', '--yes').then(() => true)
    await expect.poll(terminal.shown, { timeout: 30_000 }).toContain('sure?')
    for (const piece of pieces) terminal.stdin.write(piece)
    await terminal.type('several lines came at once: type one\nsure?', 'y')
    expect(await answer).toBe(true)
    expect(terminal.shown().split('sure?')).toHaveLength(3)
  })

  test('a secret is a line that is not shown, in whatever pieces it comes', async () => {
    const terminal = openTerminal()
    const answer = terminal.prompt.secret('key:', 'stdin')
    await expect.poll(terminal.shown, { timeout: 30_000 }).toContain('key: ')
    terminal.stdin.write('wrong\x15pk_live_\x14')
    terminal.stdin.write('\x7fabx\x7fc\r')
    expect(await answer).toBe('pk_live_abc')
    expect(terminal.shown()).toBe('key: \n')
  })

  test('an interruption ends them', async () => {
    const terminal = openTerminal()
    const answer = terminal.prompt.text('name?', '--name')
    const ended = expect(answer).rejects.toMatchObject({ code: 'interrupted' })
    await expect.poll(terminal.shown, { timeout: 30_000 }).toContain('name?')
    terminal.abort.abort()
    await ended
  })
})
