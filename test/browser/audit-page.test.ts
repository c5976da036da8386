import { describe, expect, test } from 'vitest'
import { auditHtml } from '../../src/ui/audit/html.ts'
import { has } from '../cli/programs.ts'
import { emptySurvey } from '../audit/survey-fixture.ts'
import { hostile, manyKeys, receipt, rule, subject } from '../ui/audit/subject-fixture.ts'
import { attributes, computed, inaccessible, picture, printed, usePages } from './browser.ts'

// The page of an audit, as people see it: in a real Chromium, light, dark, narrow and on paper.

describe.skipIf(!has('chromium'))("an audit's page in Chromium", () => {
  const open = usePages()

  const phone = { width: 360, height: 740 }
  test.each([
    ['light', { colorScheme: 'light' as const }, 'rgb(255, 255, 255)'],
    ['dark', { colorScheme: 'dark' as const }, 'rgb(20, 24, 29)'],
    ['narrow', { colorScheme: 'light' as const, viewport: phone }, 'rgb(255, 255, 255)'],
    ['narrow and dark', { colorScheme: 'dark' as const, viewport: phone }, 'rgb(20, 24, 29)'],
  ])(
    '%s: it is drawn, fits, is accessible, asks for nothing and has nothing to complain of',
    async (name, options, paper) => {
      const { page, said, requests } = await open(auditHtml(subject()), options)
      await picture(page, `audit-${name.replaceAll(' ', '-')}`)
      const width = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]')
      expect(width[0]).toBe(width[1])
      expect(await computed(page, 'body', 'backgroundColor')).toEqual([paper])
      expect(await page.locator('section').count()).toBe(9)
      // its own style is let in by its policy
      expect(await computed(page, '.tiles', 'display')).toEqual(['grid'])
      expect(await inaccessible(page)).toEqual([])
      expect([said, requests]).toEqual([[], []])
    },
  )

  test('it is read without scripts', async () => {
    const { page } = await open(auditHtml(subject()), { javaScriptEnabled: false })
    await expect(page.locator('h1').innerText()).resolves.toBe('Audit of the API keys')
    expect(await page.locator('.finding').count()).toBe(5)
  })

  test('every picture has words', async () => {
    const { page } = await open(auditHtml(subject()))
    const pictures = await page.getByRole('img').all()
    expect(pictures.length).toBeGreaterThan(15)
    for (const each of pictures) expect(await each.getAttribute('aria-label')).toMatch(/\d/)
    expect(await page.locator('circle.dot').count()).toBeGreaterThan(10)
    expect(await page.locator('svg text.label', { hasText: 'Production Server' }).count()).toBe(1)
  })

  test('hostile names are text: no element, no link, no turned line', async () => {
    const key = subject().survey.keys.map((each, index) =>
      index === 1 ? { ...each, name: `${hostile} </title></svg><svg onload=alert(4)>` } : each,
    )
    const notes = [
      receipt({ notes: [hostile], targets: [{ name: hostile, state: 'delivered' }], verify: hostile }),
    ]
    const { page, said, requests } = await open(
      auditHtml(subject({ survey: { keys: key, plan: undefined }, receipts: notes })),
    )
    expect(
      await page.locator('script, img, iframe, object, link, [style], [onerror], [onload]').count(),
    ).toBe(0)
    const links = await attributes(page, 'a', 'href')
    expect(links.filter((href) => !/^#[a-z]+$/.test(href ?? ''))).toEqual([])
    const shown = hostile.replaceAll(/[\u001b\u202e]/g, '')
    const text = await page.locator('body').innerText()
    expect(text.split(shown).length - 1).toBeGreaterThan(6)
    expect([said, requests]).toEqual([[], []])
  })

  test('a name from right to left turns nothing beside it', async () => {
    const { page } = await open(auditHtml(subject()))
    const cell = page.locator('tbody th', { hasText: 'שרת ייצור' }).first()
    expect(await cell.locator('.fine').innerText()).toBe('key_000b')
    expect(await computed(page, 'bdi', 'unicodeBidi')).toEqual(['isolate'])
  })

  test('its policy lets in neither script nor style nor picture that somebody adds', async () => {
    const added = `<script>document.title = 'run'</script><p style="display: none">a</p><style>h1 { display: none }</style>
      <img src="http://127.0.0.1:9/x.png"><iframe src="http://127.0.0.1:9/"></iframe><form action="http://127.0.0.1:9/"></form>`
    const { page, said } = await open(auditHtml(subject()).replace('<main>', `<main>${added}`))
    expect(await page.title()).toBe('Audit of the API keys')
    expect(await page.locator('h1').isVisible()).toBe(true)
    const refused = said.filter((line) => line.includes('Content Security Policy'))
    for (const directive of ['script-src', 'style-src', 'img-src', 'frame-src']) {
      expect(refused.filter((line) => line.includes(directive) || line.includes('default-src'))).not.toEqual(
        [],
      )
    }
    expect(refused.length).toBeGreaterThanOrEqual(5)
  })

  test('it prints on A4, light whatever the screen, and nothing that belongs together is cut', async () => {
    const { page } = await open(auditHtml(subject()), { colorScheme: 'dark' })
    const { sheets, sizes } = await printed(page, 'audit')
    expect(sizes).toHaveLength(1)
    const [wide = 0, tall = 0] =
      sizes[0]
        ?.match(/[\d.]+(?= |\])/g)
        ?.slice(-2)
        .map(Number) ?? []
    expect([Math.round(wide), Math.round(tall)]).toEqual([595, 842])
    expect(sheets).toBeGreaterThan(4)
    expect(sheets).toBeLessThan(12)
    // between the margins of A4, at 96 dots an inch
    await page.setViewportSize({ width: 688, height: 1_000 })
    await page.emulateMedia({ media: 'print' })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(688)
    expect(await computed(page, 'body', 'backgroundColor')).toEqual(['rgb(255, 255, 255)'])
    const whole = await computed(page, 'tr, figure, .finding, .cards li, .tiles li', 'breakInside')
    expect(whole).toEqual(['avoid'])
    expect(await page.locator('nav').isVisible()).toBe(false)
  })

  test('an account of 10,000 keys opens, and says what it leaves out', async () => {
    const found = manyKeys(10_000).keys.map((key) => ({
      rule: 'unused',
      severity: 'warning' as const,
      key,
      message: 'it was not used for 30 days',
      evidence: { lastUsedAt: key.lastUsedAt },
      mend: ['pictify-keys', 'revoke', key.id],
    }))
    const given = subject({ keys: 10_000, rules: [rule('unused', 'warning', found)] })
    const written = auditHtml(given)
    expect(Buffer.byteLength(written)).toBeLessThan(3_000_000)
    const { page, said } = await open(written)
    const text = await page.locator('body').innerText()
    expect(text).toContain('9,850 more findings of this severity are left out here (9,850 of unused)')
    expect(text).toMatch(/[\d,]+ more keys had requests/)
    expect(text).toContain('9,500 more keys')
    expect(await page.locator('svg.picture').getAttribute('aria-label')).toMatch(/^10,000 active keys/)
    expect(said).toEqual([])
  })

  test('findings of one rule are rows of one table, which fits a phone and is accessible', async () => {
    const of = (count: number) =>
      manyKeys(count).keys.map((key, index) => ({
        rule: 'key-age',
        severity: 'error' as const,
        key,
        message: `is ${400 + index} days old, where 365 days are an error`,
        evidence: { createdAt: key.createdAt, ageDays: 400 + index },
        mend: ['pictify-keys', 'rotate', key.id],
      }))
    const few = await open(auditHtml(subject({ rules: [rule('key-age', 'error', of(2))] })))
    expect(await few.page.locator('.finding').count()).toBe(2)
    const { page, said } = await open(auditHtml(subject({ rules: [rule('key-age', 'error', of(20))] })), {
      viewport: phone,
    })
    expect(await page.locator('.finding').count()).toBe(0)
    const rows = page.locator('#findings tbody tr')
    expect(await rows.count()).toBe(20)
    const row = rows.filter({ hasText: 'key_0001' })
    const cells = await row.locator('th, td').allInnerTexts()
    expect(cells.map((cell) => cell.trim())).toEqual([
      expect.stringMatching(/^Checkout API\nkey_0001 · live$/),
      'is 401 days old, where 365 days are an error',
      expect.stringMatching(/^created [\d-]+ [\d:]+ UTC age 401 d$/),
      'pictify-keys rotate key_0001',
    ])
    expect(await page.locator('#findings caption').innerText()).toBe(
      'key-age: what key-age looks for is there (20 errors)',
    )
    const width = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]')
    expect(width[0]).toBe(width[1])
    expect(await inaccessible(page)).toEqual([])
    expect(said).toEqual([])
    const { sheets } = await printed(page, 'audit-of-one-rule')
    expect(sheets).toBeLessThan(9)
  })

  test('of one there is no plural', async () => {
    const { page } = await open(auditHtml(subject({ keys: 1, rules: [], receipts: [receipt()] })))
    const tiles = await page.locator('.tiles').innerText()
    expect(tiles).toMatch(/^1\s+active key$/m)
    expect(tiles).toMatch(/^1\s+rotation done$/m)
  })

  test('where usage is not known it says so, and draws the ages alone', async () => {
    const bare = subject({
      keys: 3,
      rules: [rule('error-rate', 'warning', [], ['usage'])],
      receipts: [],
      survey: { usage: emptySurvey.usage },
    })
    const { page, said } = await open(auditHtml(bare))
    const text = await page.locator('body').innerText()
    expect(text).toContain('1 rule could not be held: what it looks for is not known.')
    expect(text).toContain('Not known: the API gives no usage.')
    expect(text).toContain('This machine has no receipts of rotations of this account.')
    expect(await page.locator('svg.picture circle.dot').count()).toBe(3)
    expect(await page.locator('svg.picture').getAttribute('aria-label')).toBe(
      '3 active keys by age: 3 older than 90 days, 1 older than 365. The table of keys has the figures.',
    )
    await picture(page, 'audit-of-ages')
    expect(await inaccessible(page)).toEqual([])
    expect(said).toEqual([])
  })
})
