import { describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { beyondSchema, good, whole } from './files.ts'
import { bad } from './refused-files.ts'
import { problemsOf, read } from './names.ts'

const dayMs = 86_400_000

describe('a file is taken', () => {
  test.each(good)('%s', (_, text) => {
    expect(problemsOf(text)).toEqual([])
  })
})

describe('what is wrong is told with its line and column', () => {
  test.each([...bad, ...beyondSchema])('%s', (_, text, problems) => {
    expect(problemsOf(text)).toEqual(problems)
  })
})

test('a file becomes what it says, with lines and milliseconds', () => {
  const fleet = read(whole)
  expect(fleet.file).toBe('pictify-keys.yaml')
  expect(fleet.keys).toEqual([
    {
      key: 'Production Server',
      line: 3,
      type: 'live',
      maxAgeMs: 90 * dayMs,
      overlapMs: dayMs,
      to: ['env:.env#PICTIFY_API_KEY', 'file:/srv/app/pictify.key'],
      verify: './smoke-test.sh',
    },
    expect.objectContaining({
      key: 'key_4f8s2k1n9d0q',
      line: 9,
      to: ['manual:the wiki'],
      maxAgeMs: undefined,
    }),
    expect.objectContaining({ key: 'CI', line: 10, type: undefined, to: [] }),
  ])
  expect(fleet.audit.rules).toEqual({
    'vague-name': { severity: 'off' },
    unused: { severity: 'warning', warnAfterMs: 14 * dayMs, errorAfterMs: 60 * dayMs },
    'error-rate': { warnAbove: 0.02, errorAbove: 0.1, minRequests: 50 },
  })
  expect(fleet.audit.workingHours).toEqual({
    days: [1, 2, 3, 4, 6],
    from: 480,
    to: 1_110,
    timeZone: 'Europe/Berlin',
  })
  expect(fleet.audit.accept).toEqual([
    // the day counts to its end
    {
      line: 18,
      rule: 'unused',
      key: 'CI',
      until: Date.UTC(2027, 1, 1),
      reason: 'it comes back in January',
    },
    expect.objectContaining({ line: 19, rule: 'key-age', key: undefined, until: undefined }),
  ])
  expect(fleet.alerts.map(({ name, line, keys, notify }) => [name, line, keys, notify])).toEqual([
    ['busy', 21, 'Production *', ['ops']],
    ['failing', 22, undefined, ['ops', 'mail']],
    ['slow', 23, undefined, undefined],
    ['old', 24, undefined, undefined],
    ['odd', 25, undefined, undefined],
  ])
  expect(fleet.alerts.map(({ condition }) => condition)).toEqual([
    { kind: 'requests', over: 10_000, in: '7d' },
    { kind: 'error-rate', over: 0.05, in: '24h', minRequests: 20 },
    { kind: 'p95', overMs: 800, in: '24h', minRequests: 100 },
    { kind: 'too-old', afterMs: 365 * dayMs },
    { kind: 'spike' },
  ])
  expect(fleet.alerts[1]).toMatchObject({
    forMs: 900_000,
    keepFiringForMs: 3_600_000,
    remindAfterMs: 86_400_000,
  })
  expect(fleet.notify).toEqual([
    { name: 'ops', line: 27, kind: 'slack', urlEnv: 'SLACK_URL' },
    { name: 'hook', line: 28, kind: 'webhook', urlEnv: 'HOOK_URL', secretEnv: 'HOOK_SECRET' },
    {
      name: 'mail',
      line: 29,
      kind: 'email',
      server: 'smtps://mail.example:465',
      from: 'Keys <keys@team.example>',
      to: ['a@team.example'],
      userEnv: 'U',
      passwordEnv: 'P',
    },
  ])
})

test('a list that goes over midnight of Sunday has its days', () => {
  const text = whole.replace("days: 'Mon-Thu, Sat'", 'days: [Sat-Mon, Wed]')
  expect(read(text).audit.workingHours?.days).toEqual([1, 3, 6, 7])
})

test('names that every object has are names of keys all the same', () => {
  const fleet = read('version: 1\nkeys:\n  constructor: { type: test }\n  __proto__: { type: live }\n')
  expect(fleet.keys.map(({ key, type }) => [key, type])).toEqual([
    ['constructor', 'test'],
    ['__proto__', 'live'],
  ])
})

test('all problems are told at once, in the order of the file', () => {
  const text = whole
    .replace('maxAge: 90d', 'maxAge: 90')
    .replace('when: spike', 'when: spikes')
    .replace('rule: unused, key', 'rule: unsued, key')
    .replace('type: live', 'typ: live')
    .replace('version: 1', 'version: 1\nowner: us')
    .replace('  workingHours', '  notes: x\n  workingHours')
  expect(problemsOf(text).map((problem) => problem.split(':')[0])).toEqual(['2', '5', '6', '17', '20', '27'])
})

test('aliases of aliases end before they fill the memory', () => {
  const levels = Array.from({ length: 30 }, (_, at) => {
    const inside = at === 0 ? 'x' : Array.from({ length: 20 }, () => `*a${at - 1}`).join(', ')
    return `  k${at}: &a${at} [${inside}]`
  })
  expect(problemsOf(['version: 1', 'keys:', ...levels, ''].join('\n'))).toEqual([
    '4:12 aliases stand for aliases, and those for more: write out what they stand for',
  ])
})

test('a secret is shown in no problem, wherever it stands', () => {
  const secret = 'pk_live_0123456789abcdefghij'
  const places = [
    `version: ${secret}`,
    `version: 1\nkeys: { A: { type: ${secret}, maxAge: ${secret}, to: ${secret} } }`,
    `version: 1\nkeys: { A: { ${secret}: 1 } }`,
    `version: 1\naudit: { rules: { ${secret}: off }, accept: [{ rule: ${secret}, reason: x }] }`,
    `version: 1\nalerts: [{ name: a, when: ${secret} }, { name: b, when: spike, notify: ${secret} }]`,
    `version: 1\nnotify: [{ name: a, type: slack, urlEnv: ${secret} }]`,
    `version: 1 # ${secret}`,
    `version: 1\nkeys: ["${secret}`,
  ]
  for (const text of places) {
    const problems = problemsOf(text)
    expect(problems.join('\n')).toMatch(/a secret is written in the file/)
    expect(problems.join('\n')).not.toContain('0123456789')
  }
})

test('what fails for another reason than the file is no problem of the file', () => {
  expect(() => problemsOf(undefined as unknown as string)).toThrow()
  expect(() => problemsOf(undefined as unknown as string)).not.toThrow(KeysError)
})
