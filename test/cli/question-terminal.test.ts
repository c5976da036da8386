import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { longWay, openGuide, openProject, shortWay, walk } from './guided.ts'
import type { Rotating } from './rotating.ts'
import { keyboard, openScreen, type Screen } from './screen.ts'

// What a terminal does to a question: pastes, widths, colours, resizing.

let project: Rotating
beforeEach(async () => {
  project = await openProject()
})
afterEach(() => project.end())

async function leave(screen: Screen): Promise<void> {
  const before = project.keys()
  screen.type(keyboard.ctrlC)
  expect((await screen.ended).signal, screen.text()).toBe(2)
  expect(project.keys()).toEqual(before)
  expect(before.map(({ status }) => status)).not.toContain('revoked')
}

/** The row that ends with what is being typed. */
const rowOf = (screen: Screen, question: string) =>
  screen
    .text()
    .split('\n')
    .find((row) => row.includes(question)) ?? ''

describe('a paste with newlines', () => {
  // every question that takes text, and what is pasted into it
  const texts: [question: string, way: number, pasted: string, shown: string][] = [
    ['search:', 0, 'prod\n\n\n', 'prod'],
    ['Which Actions secret of acme/shop?', 2, 'RENDER\r\nKEY\n', 'RENDER KEY'],
    ['Which place?', 3, 'env:.env#ONE\nenv:.env#TWO\n', 'env:.env#ONE env:.env#TWO'],
  ]
  test.each(texts)('answers nothing: it is one line of "%s"', async (question, count, pasted, shown) => {
    const screen = openGuide(project, { columns: 120 })
    await walk(screen, longWay, count)
    screen.paste(pasted)
    await screen.until(`${shown}`)
    expect(rowOf(screen, question)).toMatch(new RegExp(`${escaped(question)}.*${escaped(shown)}$`))
    await leave(screen)
  })

  test('into a question of a command, and of a time', async () => {
    const screen = openGuide(project, { columns: 120 })
    await walk(screen, shortWay, 2)
    screen.type(`${keyboard.down}${keyboard.enter}`)
    await screen.until('Which command?')
    screen.paste('./smoke-test.sh\nrm -rf /\n')
    await screen.until('./smoke-test.sh rm -rf /')
    screen.type(keyboard.enter)
    await screen.until('When may the old key go?')
    screen.type(`${keyboard.down}${keyboard.enter}`)
    await screen.until('How long do both keys')
    screen.paste('1h\ny\n')
    await screen.until('1h y')
    screen.type(keyboard.enter)
    await screen.until('"1h y" is not a duration')
    await leave(screen)
  })

  test('confirms nothing and chooses nothing', async () => {
    const screen = openGuide(project, { columns: 120 })
    await walk(screen, shortWay, 1)
    screen.paste(' \n')
    screen.paste('a\n')
    screen.type(keyboard.enter)
    // what was chosen to begin with is what is chosen
    await screen.until('✔ Where does the application find it? env:.env#PICTIFY_API_KEY\n')
    await walk(screen, shortWay.slice(2), 2)
    screen.paste('y\n')
    screen.type(keyboard.enter)
    expect((await screen.ended).exit).toBe(1)
    expect(project.keys()).toHaveLength(1)
  })

  test.each([
    ['a few lines', 'env:.env#ONE\nenv:.env#TWO\ny\n\ny\n'],
    // more than a terminal hands over at once
    ['many lines', `env:.env#ONE\n${'env:.env#TWO\ny\n'.repeat(1_000)}`],
  ])('from a terminal that does not mark pastes: %s answer one question at most', async (_, typed) => {
    const screen = openGuide(project, { columns: 120 })
    await walk(screen, withOther, 2)
    screen.type(typed)
    await screen.until(/A further one\?.*$/m)
    expect(screen.text()).not.toContain('✔ A further one?')
    expect(screen.text()).not.toContain('env:.env#TWO')
    // and it listens
    screen.type('x')
    await screen.until(/A further one\? .*x$/m)
    await leave(screen)
  })

  test('into a hidden question is told to be no key', async () => {
    const screen = openScreen(project.home, ['login', '--store', 'file'], {
      env: { PICTIFY_ADMIN_KEY: undefined },
    })
    await screen.until('Admin key')
    screen.paste(`${project.sandbox.adminKey.reveal()}\nmore\n`)
    screen.type(keyboard.enter)
    expect((await screen.ended).exit).toBe(2)
    expect(screen.text()).toContain('spaces')
    expect(screen.scrollback()).not.toContain(project.sandbox.adminKey.reveal())
  })
})

const withOther = longWay
  .filter(([question]) => !question.startsWith('Which Actions'))
  .map(([question, keys]) =>
    question.startsWith('Where')
      ? ([question, `${keyboard.down}${keyboard.down}${keyboard.space}${keyboard.enter}`] as const)
      : ([question, keys] as const),
  )

describe('a narrow terminal', () => {
  test('of 40 columns has every question and the plan in whole words', async () => {
    const screen = openGuide(project, { columns: 40, rows: 60 })
    await screen.until('Which key')
    screen.type('prod')
    await screen.until('❯ Production Server\n')
    expect(screen.text().replace(/\s+/g, ' ')).toContain('live, 1d old, never used')
    screen.type(keyboard.enter)
    // what is broken within a word has a blank there
    const expectWhole = (...sentences: string[]) => {
      const text = screen.scrollback().replace(/\s+/g, ' ')
      for (const sentence of sentences) expect(text).toContain(sentence)
    }
    await screen.until('Where does')
    expectWhole('env:.env#PICTIFY_API_KEY (holds a live key)', 'github:acme/shop#… (the remote origin)')
    expectWhole('↑↓ navigate • space select • a all • i invert • ⏎ submit')
    screen.type(keyboard.enter)
    await screen.until('How is it seen')
    expectWhole('Where does the application find it? env:.env#PICTIFY_API_KEY')
    screen.type(keyboard.enter)
    await screen.until('When may')
    expectWhole('as soon as there is evidence that it is quiet')
    expectWhole('later: after a time, and with that evidence')
    expectWhole('nothing has used the old key since the delivery')
    screen.type(keyboard.enter)
    await screen.until('now?')
    expectWhole('How is it seen that the application works with the new key? ./smoke-test.sh')
    expectWhole('When may the old key go? as soon as there is evidence that it is quiet')
    expectWhole('Check everything once more: the account, the places, room for one more key.')
    expectWhole('Try it as each place holds it, then run ./smoke-test.sh (at most 2m).')
    expectWhole(`Revoke the old key, ${project.old.id}: for good.`)
    expectWhole(
      'Ctrl-C stops at the next safe point; a second Ctrl-C undoes the rotation, a third leaves at once, and the journal keeps what was done.',
    )
    expectWhole(`Rotate Production Server (${project.old.id}) now?`)
    await leave(screen)
  })

  test('of few rows shows a list a part at a time', async () => {
    for (let n = 0; n < 10; n++) project.sandbox.dashboard.create({ name: `Worker ${n}`, type: 'test' })
    const screen = openGuide(project, { columns: 60, rows: 10 })
    await screen.until('Which key')
    expect(screen.text().split('\n')[0]).toContain('Which key')
    expect(screen.text().match(/Worker \d/g)?.length).toBeLessThan(5)
    screen.type('worker 2')
    await screen.until('❯ Worker 2 ')
    await leave(screen)
  })
})

describe('colours', () => {
  test('are there, and are not with NO_COLOR or --no-color', async () => {
    const coloured = openGuide(project)
    await walk(coloured, shortWay, 1)
    expect(coloured.isColoured()).toBe(true)
    await leave(coloured)
    for (const [env, args] of [
      [{ NO_COLOR: '1' }, []],
      [{}, ['--no-color']],
    ] as const) {
      const screen = openGuide(project, { env }, args)
      await walk(screen, shortWay, 4)
      expect(screen.raw()).not.toMatch(/\x1b\[[\d;]*[1-9][\d;]*m/)
      await leave(screen)
    }
  })
})

describe('resizing', () => {
  const steps: [what: string, count: number, question: string][] = [
    ['a search', 0, 'Which key is to be'],
    ['a checkbox', 1, 'Where does the application'],
    ['a choice', 2, 'How is it seen'],
  ]
  test.each(steps)(
    'in the middle of %s leaves nothing of the other width behind',
    async (_, count, question) => {
      const longest = 'A server with a name that is so long that no narrow terminal has it on a line'
      project.sandbox.dashboard.create({ name: longest, type: 'test', createdAt: Date.now() - 172_800_000 })
      await writeFile(path.join(project.home.directory, 'package.json'), '{"scripts":{"smoke":"true"}}')
      const screen = openGuide(project, { columns: 110 })
      await walk(screen, shortWay, count)
      for (const columns of [40, 90, 33, 120]) {
        screen.resize(columns, 50)
        await screen.until(question.slice(0, 12))
        await drawnFor(screen)
        expect(occurrences(screen, question.slice(0, 12)), screen.text()).toBe(1)
        screen.type(keyboard.down)
        await drawnFor(screen)
        expect(occurrences(screen, question.slice(0, 12)), screen.text()).toBe(1)
        expect(screen.text().match(/[❯>]/g), screen.text()).toHaveLength(1)
      }
      await leave(screen)
      expect(screen.isCursorHidden()).toBe(false)
    },
  )

  test('keeps what was typed, and the answers before', async () => {
    const screen = openGuide(project, { columns: 100 })
    await walk(screen, longWay, 2)
    screen.type('RENDER')
    await screen.until('RENDER')
    screen.resize(50, 40)
    await drawnFor(screen)
    screen.type('_KEY')
    await screen.until('RENDER_KEY')
    expect(occurrences(screen, 'Which Actions'), screen.text()).toBe(1)
    expect(screen.text()).toContain('✔ Which key is to be rotated? Production Server')
    screen.type(keyboard.enter)
    await screen.until('Which place?')
    await leave(screen)
  })
})

const occurrences = (screen: Screen, text: string) => screen.text().split(text).length - 1

/** Resolves when a while has passed in which nothing was drawn. */
async function drawnFor(screen: Screen): Promise<void> {
  for (let seen = -1; seen !== screen.raw().length;) {
    seen = screen.raw().length
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
