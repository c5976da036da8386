import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorExits } from '../../src/errors.ts'
import { explain } from '../../src/commands/explain.ts'
import { readExplanations, renderExplanation, renderSummaries } from '../../src/ui/explanation.ts'
import { plain } from '../../src/ui/paint.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.end())

describe('explain', () => {
  test('without a code: all of them, with their exits', async () => {
    const { stdout, result } = await stage.play(explain)
    const { explanations } = result as { explanations: { code: string }[] }
    expect(explanations.map(({ code }) => code).sort()).toEqual(Object.keys(errorExits).sort())
    for (const code of Object.keys(errorExits)) expect(stdout).toContain(`${code} `)
  })

  test('an exit: the codes that end with it', async () => {
    const { result } = await stage.play(explain, { code: '9' })
    const { explanations } = result as { explanations: { code: string }[] }
    expect(explanations.map(({ code }) => code)).toEqual([
      'key-limit-reached',
      'rate-limit',
      'quota-exceeded',
    ])
  })

  test('a code: its entry, with the example as it stands', async () => {
    const { stdout, result } = await stage.play(explain, { code: 'rotation-undone' })
    expect(result).toMatchObject({ explanation: { code: 'rotation-undone', exits: [6] } })
    expect(stdout).toMatch(/^rotation-undone\n\nExit 6\. The rotation failed/)
    expect(stdout).toMatch(/^ {4}\$ pictify-keys rotate /m)
    expect(stdout).not.toMatch(/\*\*|```|<!--|\]\(/)
  })

  test('a rule of audit: what is wrong, why, and how it is told', async () => {
    const { stdout, result } = await stage.play(explain, { code: 'key-age' })
    expect(result).toMatchObject({ rule: { id: 'key-age', severity: 'error' } })
    expect(stdout).toMatch(/^key-age \(error\)\n {2}a key is older than it may be\n {2}Whoever has seen/)
  })

  test.each([
    ['key-aeg', 'did you mean key-age?'],
    ['rotation-undne', 'did you mean rotation-undone?'],
    ['something', 'pictify-keys explain lists all of them'],
    ['200', 'pictify-keys explain lists the codes and their exits'],
  ])('%s is refused, and says: %s', async (code, hint) => {
    const { error } = await stage.play(explain, { code })
    expect(error).toMatchObject({ code: 'usage', hint })
  })
})

describe('an entry', () => {
  const document = [
    '# Errors', '', '<!-- session -->', '', '## A group', '', '### some-code', '',
    '**Exit 7.** It is *so* that', 'words go on. And on.', '', '**Causes**', '',
    '- one that is long enough to be broken in a narrow terminal ([there](x.md));', '- two.', '',
    '<!-- exit 7', '-->', '', '```console', '$ run   it', '  it   said', '```', '',
  ].join('\n') // prettier-ignore

  test('is read: code, exits, summary', () => {
    expect(readExplanations(document)).toMatchObject([
      { code: 'some-code', exits: [7], summary: 'It is *so* that words go on.' },
    ])
  })

  test.each([40, 80])('all of them fit %d columns, whole', (width) => {
    const entries = [
      { code: 'a', exits: [2], summary: 'What it means, in more words than fit.', text: '' },
      {
        code: 'interrupted',
        exits: [130, 143],
        summary: 'It was told to stop, which is a long story.',
        text: '',
      },
    ]
    const text = renderSummaries(entries, width, plain)
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width)
    for (const { summary } of entries) expect(text.replace(/\s+/g, ' ')).toContain(summary)
    expect(text).toMatch(width === 40 ? /^interrupted \(130\)$/m : /^interrupted {2}130 {2}It was/m)
  })

  test.each([40, 60])('fits %d columns, but for its example', (width) => {
    const [entry] = readExplanations(document)
    const text = renderExplanation(entry ?? { code: '', exits: [], summary: '', text: '' }, width, plain)
    const prose = text.split('\n').filter((line) => !line.startsWith('    '))
    for (const line of prose) expect(line.length).toBeLessThanOrEqual(width)
    expect(text).toContain('    $ run   it\n      it   said')
    expect(text).toMatch(/\n- one that [^]*\n {2}\S/)
    expect(text).toContain('- two.')
  })
})
