import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

/** What is larger than this is not what is looked for. */
const largestFile = 1024 * 1024

/** A file's bytes; undefined for whatever cannot be read: who only looks around is not told. */
export async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    const { size } = await stat(file)
    const isFile = (await stat(file)).isFile()
    return isFile && size <= largestFile ? await readFile(file) : undefined
  } catch {
    return undefined
  }
}

export async function readTextIfThere(file: string): Promise<string | undefined> {
  return (await readIfThere(file))?.toString('utf8')
}

/** The names in a folder, sorted; none where it is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch {
    return []
  }
}

/** The folder and all that it lies in, from the inside out. */
export function outwards(folder: string): string[] {
  const parent = path.dirname(folder)
  return parent === folder ? [folder] : [folder, ...outwards(parent)]
}

/** The sections of an INI file, as AWS, gcloud and git write them. Later values go before earlier ones. */
export function sectionsOf(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>()
  let section = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const head = /^\s*\[\s*(.*?)\s*\]\s*$/.exec(line)?.[1]
    if (head !== undefined) {
      section = sections.get(head) ?? new Map<string, string>()
      sections.set(head, section)
      continue
    }
    const [, key, value] = /^\s*([\w.-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) section.set(key.toLowerCase(), value)
  }
  return sections
}
