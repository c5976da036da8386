import { describe, expect, test } from 'vitest'
import { incidentHtml } from '../../src/ui/incident/html.ts'
import { has } from '../cli/programs.ts'
import { useServer } from '../api/client-fixture.ts'
import { reportOf, reportWith, sightings } from '../ui/incident/incident-report-fixture.ts'
import { attributes, computed, inaccessible, picture, printed, usePages } from './browser.ts'

// The page of an incident, as people see it: in a real Chromium, light, dark, narrow and on paper.

useServer()

const hostile = `</style><script>document.title = 'run'</script><img src=x onerror=alert(1)>'"\u202e\u001b[31m`
describe.skipIf(!has('chromium'))("an incident's page in Chromium", () => {
  const open = usePages()

  const phone = { width: 360, height: 740 }
  test.each([
    ['light', { colorScheme: 'light' as const }],
    ['dark', { colorScheme: 'dark' as const }],
    ['narrow', { colorScheme: 'light' as const, viewport: phone }],
  ])('%s: it fits, is accessible, asks for nothing and has nothing to complain of', async (name, options) => {
    const report = await reportOf('198.51.100.9')
    const { page, said, requests } = await open(incidentHtml(report, '1.2.3'), options)
    await picture(page, `incident-${name}`)
    const width = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]')
    expect(width[0]).toBe(width[1])
    expect(await page.locator('section').count()).toBe(8)
    expect(await page.locator('rect.failed').count()).toBeGreaterThan(0)
    expect(await inaccessible(page)).toEqual([])
    expect([said, requests]).toEqual([[], []])
  })

  test('what a stranger wrote into the log is text', async () => {
    const { page, said, requests } = await open(incidentHtml(await reportOf(hostile), '1.2.3'))
    expect(
      await page.locator('script, img, iframe, object, link, [style], [onerror], [onload]').count(),
    ).toBe(0)
    const links = await attributes(page, 'a', 'href')
    expect(links.filter((href) => !/^#[a-z]+$/.test(href ?? ''))).toEqual([])
    expect(await page.title()).toContain('document.title')
    const text = await page.locator('body').innerText()
    expect(text.split("<script>document.title = 'run'</script>").length - 1).toBeGreaterThan(6)
    expect([said, requests]).toEqual([[], []])
  })

  test('of very much the beginning is shown, and the rest counted; it prints on A4', async () => {
    const { incident } = await reportOf('198.51.100.9')
    const audit = incident.audit && { ...incident.audit, addresses: sightings(1_000) }
    const { page } = await open(incidentHtml(reportWith({ ...incident, audit }), '1.2.3'), {
      colorScheme: 'dark',
    })
    expect(await page.locator('body').innerText()).toContain('And 800 more')
    const { sheets, sizes } = await printed(page, 'incident')
    expect(sizes).toHaveLength(1)
    expect(sheets).toBeGreaterThan(4)
    expect(sheets).toBeLessThan(20)
    await page.setViewportSize({ width: 688, height: 1_000 })
    await page.emulateMedia({ media: 'print' })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(688)
    expect(await computed(page, 'body', 'backgroundColor')).toEqual(['rgb(255, 255, 255)'])
  })
})
