import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { parse } from 'csv-parse/sync'
import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditReport } from '../../src/audit/report.ts'
import { errorOf, openAccount, type Account } from './account.ts'
import { openScreen } from './screen.ts'

// The formats of an audit, by the real program.

const dayMs = 86_400_000
/** As a server may have it, whoever gave it. */
const name = '</style><script>alert(1)</script> [a](javascript:b) |=c'

let account: Account
beforeEach(async () => {
  account = await openAccount()
  const at = Date.now()
  account.sandbox.dashboard.create({
    name,
    type: 'live',
    // not on the hour: the API's clock is known to the second, and an age is whole days
    createdAt: at - 400.5 * dayMs,
    lastUsedAt: at - 60_000,
  })
})
afterEach(() => account.end())

const audit = (...args: string[]) => account.run(['audit', '--fail-on', 'never', ...args])
const inHome = (file: string) => path.join(account.home.directory, file)

describe('what is printed', () => {
  test('csv is read by a reader of CSV, and its formulas are none', async () => {
    const { stdout } = await audit('--rule', 'key-age', '--format', 'csv')
    expect(parse(stdout, { columns: true })).toMatchObject([
      { status: 'open', severity: 'error', rule: 'key-age', keyName: name },
    ])
  })

  test('markdown has a row of the finding, and no mark-up of the name', async () => {
    const { stdout } = await audit('--rule', 'key-age', '--format', 'markdown')
    expect(stdout).toMatch(/^## Audit of the API keys: 1 error$/m)
    expect(stdout).toMatch(/^\| `key-age` \| &lt;\/style&gt;&lt;script&gt;.* \|$/m)
  })

  test('sarif is as the OASIS schema says, of all rules at once', async () => {
    const schema = new URL('../schema/sarif/sarif-schema-2.1.0.json', import.meta.url)
    const ajv = new Ajv({ strict: false, unicodeRegExp: false })
    addFormats.default(ajv)
    const validate = ajv.compile(JSON.parse(readFileSync(schema, 'utf8')) as object)
    const { stdout } = await audit('--format', 'sarif')
    const log = JSON.parse(stdout) as {
      runs: { results: { ruleId: string }[]; tool: { driver: { rules: object[] } } }[]
    }
    expect(validate(log), JSON.stringify(validate.errors)).toBe(true)
    expect(log.runs[0]?.results.map(({ ruleId }) => ruleId)).toContain('key-age')
    expect(log.runs[0]?.tool.driver.rules.length).toBeGreaterThan(20)
    expect(stdout).not.toContain(account.home.directory)
  })

  test('html is one page, in which the name is text', async () => {
    const { stdout } = await audit('--format', 'html')
    expect(stdout).toMatch(/^<!doctype html>\n/)
    expect(stdout.trimEnd().endsWith('</html>')).toBe(true)
    expect(stdout).toContain('&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(stdout).not.toMatch(/<script|<img|<link/)
  })

  test.each(['sarif', 'html', 'markdown'])(
    '%s goes to other machines, and its commands name no folder of this one',
    async (format) => {
      const stateDir = inHome('elsewhere')
      const { stdout } = await audit('--rule', 'key-age', '--format', format, '--state-dir', stateDir)
      expect(stdout).toContain('pictify-keys rotate')
      expect(stdout).not.toContain(stateDir)
      const table = await audit('--rule', 'key-age', '--state-dir', stateDir)
      expect(table.stdout).toContain(`--state-dir ${stateDir}`)
    },
  )

  test('json with --format is what --json prints, in lines', async () => {
    const [formatted, plain] = await Promise.all([
      audit('--rule', 'key-age', '--format', 'json'),
      audit('--rule', 'key-age', '--json'),
    ])
    const [report, other] = [formatted, plain].map(({ stdout }) => JSON.parse(stdout) as AuditReport)
    expect({ ...report, at: '' }).toEqual({ ...other, at: '' })
    expect(formatted.stdout).toContain('\n  "summary": {')
  })

  test('--json and another format for stdout exclude each other, before anything is asked', async () => {
    const asked = account.sandbox.requests.length
    const ran = await audit('--json', '--format', 'html')
    expect([ran.exit, errorOf(ran).code, account.sandbox.requests.length]).toEqual([2, 'usage', asked])
  })
})

describe('--out', () => {
  test.each(['table', 'json', 'csv', 'markdown', 'sarif', 'html'])(
    '%s goes to the file, and stdout stays empty',
    async (format) => {
      const ran = await audit('--format', format, '--out', 'report', '--rule', 'key-age')
      expect([ran.exit, ran.stdout]).toEqual([0, ''])
      expect(ran.stderr).toContain('1 error (2 active keys); the report is in report')
      expect(await readFile(inHome('report'), 'utf8')).toContain('key-age')
    },
  )

  test('with --json stdout has the document as well, for a job that files a page and reads figures', async () => {
    const ran = await audit('--json', '--format', 'html', '--out', 'audit.html')
    expect((JSON.parse(ran.stdout) as AuditReport).summary.findings.error).toBeGreaterThan(0)
    expect(await readFile(inHome('audit.html'), 'utf8')).toMatch(/^<!doctype html>/)
  })

  test('the file is there also where the findings end it with 10', async () => {
    const ran = await account.run(['audit', '--format', 'csv', '--out', 'audit.csv'])
    expect(ran.exit).toBe(10)
    expect(await readFile(inHome('audit.csv'), 'utf8')).toContain('key-age')
  })
})

describe('in a CI', () => {
  test('the counts go to later steps, and the page of the job has the findings', async () => {
    for (const file of ['output', 'summary']) await writeFile(inHome(file), '')
    const env = {
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_OUTPUT: inHome('output'),
      GITHUB_STEP_SUMMARY: inHome('summary'),
    }
    await account.run(['audit', '--rule', 'key-age', '--fail-on', 'never'], { env })
    expect(await readFile(inHome('output'), 'utf8')).toBe(
      'audit_errors=1\naudit_warnings=0\naudit_notes=0\naudit_skipped=0\n',
    )
    const summary = await readFile(inHome('summary'), 'utf8')
    expect(summary).toMatch(/^### Audit of the API keys: 1 error\n/)
    expect(summary).toMatch(/^\| error: key-age \| &lt;\/style&gt;/m)
    expect(summary).not.toContain('<script')
  })
})

test.each([40, 80, 140])(
  'at a terminal of %i columns its lines fit, and the command is whole',
  async (columns) => {
    const screen = openScreen(account.home, ['audit', '--rule', 'key-age', '--fail-on', 'never'], { columns })
    await screen.ended
    const lines = screen.written().split('\n')
    const commands = lines.filter((line) => line.startsWith('    → '))
    expect(commands).toEqual([expect.stringMatching(/→ pictify-keys rotate key_\w+ --api-url http:\S+$/)])
    const others = lines.filter((line) => !commands.includes(line))
    expect(others.filter((line) => line.length > columns)).toEqual([])
    expect(lines.join('\n')).toContain('1 error (2 active keys)')
  },
)
