// A real Chromium, driven by its debugger: what it draws, says and asks for is seen; what a page does is held to that page's policy.
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'

/** Where the pictures are, to be looked at. */
const pictures = fileURLToPath(new URL('../../reports/browser/', import.meta.url))

export function openBrowser(): Promise<Browser> {
  const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim()
  // root has no sandbox of its own
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath, args })
}

/** A page that was opened, and all that it said and asked for on the way. */
export interface Opened {
  page: Page
  /** What stands in the console: errors, and breaches of the page's policy. */
  said: string[]
  /** What it asked for, but for itself. */
  requests: string[]
  close(): Promise<void>
}

/** Opens a file of HTML as whoever got it by mail does. */
export async function openPage(
  browser: Browser,
  file: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1_100, height: 900 }, ...options })
  const page = await context.newPage()
  const own = pathToFileURL(file).href
  const said: string[] = []
  const requests: string[] = []
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => said.push(`error: ${error.message}`))
  page.on('request', (request) => {
    if (request.url() !== own) requests.push(request.url())
  })
  await page.goto(own)
  return { page, said, requests, close: () => context.close() }
}

/** Keeps a picture of the whole page. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(pictures, { recursive: true })
  await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true })
}

/** Prints it on the paper that the page asks for, and keeps that; what the file says of its sheets. */
export async function printed(page: Page, name: string): Promise<{ sheets: number; sizes: string[] }> {
  const bytes = await page.pdf({ preferCSSPageSize: true, printBackground: true })
  await mkdir(pictures, { recursive: true })
  await writeFile(path.join(pictures, `${name}.pdf`), bytes)
  const text = bytes.toString('latin1')
  return {
    sheets: text.match(/\/Type\s*\/Page\b/g)?.length ?? 0,
    sizes: [...new Set(text.match(/\/MediaBox\s*\[[^\]]*\]/g))],
  }
}

/** The values that a property of style has in what a selector finds, each once. */
export function computed(page: Page, selector: string, property: string): Promise<string[]> {
  return page.evaluate<string[]>(
    `[...new Set([...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => getComputedStyle(each)[${JSON.stringify(property)}]))]`,
  )
}

/** The values of an attribute in what a selector finds. */
export function attributes(page: Page, selector: string, name: string): Promise<(string | null)[]> {
  return page.evaluate<(string | null)[]>(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => each.getAttribute(${JSON.stringify(name)}))`,
  )
}

/** What of WCAG 2.2 AA and of good practice it does not keep: the rule and where. */
export async function inaccessible(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as { axe: { run: () => Promise<Results> } }
    const { violations } = await runner.run()
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
    )
  })
  return found
}

interface Results {
  violations: { id: string; nodes: { target: string[] }[] }[]
}

/** Opens pages for the tests of a suite, one at a time. */
export function usePages() {
  let browser: Browser
  let folder: string
  let opened: Opened | undefined
  beforeAll(async () => {
    browser = await openBrowser()
    folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-browser-'))
  })
  afterEach(() => opened?.close())
  afterAll(async () => {
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  })

  return async (html: string, options: BrowserContextOptions = {}): Promise<Opened> => {
    const file = path.join(folder, 'page.html')
    await writeFile(file, html)
    return (opened = await openPage(browser, file, options))
  }
}
