import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Secret } from '../../src/secret.ts'
import { filesUnder } from './files.ts'

// What a leak is: eight characters in a row of a secret's random part, as they are or encoded. Written without the
// program's own masking, which it is there to find fault with.

const least = 8

/** A secret's random part as it is, and as hex, base64, URLs and JSON write it. */
function formsOf(secret: Secret): string[] {
  const body = secret.reveal().replace(/^pk_(live|test)_/, '')
  const encoded = ['', 'x', 'xx'].flatMap((before) => {
    const text = Buffer.from(`${before}${body}`).toString('base64').replace(/=+$/, '')
    return [text.slice(before.length === 0 ? 0 : before.length + 1, -1)]
  })
  return [
    body,
    Buffer.from(body).toString('hex'),
    encodeURIComponent(body),
    JSON.stringify(body).slice(1, -1),
    ...encoded,
  ]
}

export interface Leak {
  where: string
  /** Which of the secrets, from 0. */
  secret: number
  /** How many of its parts, and the place of the first. */
  parts: number
  at: number
}

/** Looks for parts of the secrets in a text, in any case. */
export function findLeaks(where: string, content: string | Buffer, secrets: readonly Secret[]): Leak[] {
  const text = content.toString('latin1').toLowerCase()
  const places = new Map<string, number>()
  for (let at = 0; at + least <= text.length; at += 1) places.set(text.slice(at, at + least), at)
  return secrets.flatMap((each, secret) => {
    const found = new Set<number>()
    for (const form of formsOf(each)) {
      const lower = form.toLowerCase()
      for (let at = 0; at + least <= lower.length; at += 1) {
        const place = places.get(lower.slice(at, at + least))
        if (place !== undefined) found.add(place)
      }
    }
    return found.size === 0 ? [] : [{ where, secret, parts: found.size, at: Math.min(...found) }]
  })
}

/** The leaks in every file under a folder, names included; `mayHold` names the files that are there to hold some. */
export async function findLeaksInFiles(
  folder: string,
  secrets: readonly Secret[],
  mayHold: (file: string) => readonly Secret[] = () => [],
): Promise<{ leaks: Leak[]; files: number }> {
  const files = filesUnder(folder)
  const leaks: Leak[] = []
  for (const file of files) {
    const allowed = mayHold(file)
    const forbidden = secrets.filter((secret) => !allowed.some((other) => other.equals(secret)))
    leaks.push(...findLeaks(`name of ${file}`, file, forbidden))
    leaks.push(...findLeaks(file, await readFile(path.join(folder, file)), forbidden))
  }
  return { leaks, files: files.length }
}
