import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { has } from '../cli/programs.ts'
import { openRotating, quick, type Rotating } from '../cli/rotating.ts'
import { inaccessible, openBrowser, openPage, picture, type Opened } from './browser.ts'

// The page that the real program writes of an account with a past, in a real Chromium.

let browser: Browser
let account: Rotating
let opened: Opened | undefined

describe.skipIf(!has('chromium'))('the page of an account with a past, in Chromium', () => {
  beforeAll(async () => {
    browser = await openBrowser()
    account = await openRotating({ plan: 'enterprise', keys: 24, events: 2_000 })
  })
  afterEach(() => opened?.close())
  afterAll(async () => {
    await browser.close()
    await account.end()
  })

  test('shows its figures, its findings, the receipt of a rotation, and what could not be held', async () => {
    const rotated = await account.run([
      'rotate',
      account.old.id,
      '--to',
      'env:.env#PICTIFY_API_KEY',
      ...quick,
    ])
    const { rotation } = JSON.parse(rotated.stdout) as { rotation: { id: string; newKey: { id: string } } }

    const ran = await account.run([
      'audit',
      '--json',
      '--format',
      'html',
      '--out',
      'audit.html',
      '--fail-on',
      'never',
    ])
    const { summary, findings, skipped } = JSON.parse(ran.stdout) as {
      summary: { keys: { active: number }; findings: { error: number } }
      findings: { message: string; mend: string | null }[]
      skipped: { rule: string; why: string }[]
    }
    opened = await openPage(browser, path.join(account.home.directory, 'audit.html'))
    const { page, said, requests } = opened
    await picture(page, 'audit-of-an-account')

    const section = (id: string) => page.locator(`section#${id}`)
    const tiles = await section('figures').innerText()
    expect(tiles).toMatch(new RegExp(`^${summary.findings.error}\\s+errors?$`, 'm'))
    expect(tiles).toMatch(new RegExp(`^${summary.keys.active}\\s+active keys?$`, 'm'))
    // a finding of its own, or a row of its rule's
    const found = section('findings').locator('.finding, .of-rule tbody tr')
    expect(await found.count()).toBe(findings.length)
    const commands = await section('findings').locator('.command').allInnerTexts()
    expect(commands).toEqual(findings.flatMap(({ mend }) => (mend === null ? [] : [mend])))
    const receipt = await section('rotations').locator('tbody tr').innerText()
    for (const part of [`receipt ${rotation.id}`, account.old.id, rotation.newKey.id, 'done']) {
      expect(receipt).toContain(part)
    }
    const left = await section('skipped').locator('table').first().locator('tbody tr').allInnerTexts()
    expect(left.map((row) => row.split('\t').map((cell) => cell.trim()))).toEqual(
      skipped.map(({ rule, why }) => [rule, why]),
    )
    expect(await section('use').locator('.cards li').count()).toBeGreaterThan(5)
    expect(await section('checklist').locator('tbody tr').count()).toBe(8)
    expect(await inaccessible(page)).toEqual([])
    expect([said, requests]).toEqual([[], []])
    // the secrets of the rotation are nowhere in it
    const text = await readFile(path.join(account.home.directory, 'audit.html'), 'utf8')
    const secret = (await account.read('.env')).trim().slice('PICTIFY_API_KEY='.length)
    expect(secret.length).toBeGreaterThan(20)
    for (const each of [secret, account.old.secret.reveal(), account.sandbox.adminKey.reveal()]) {
      expect(text).not.toContain(each)
    }
  })
})
