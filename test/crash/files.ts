// What lies in a folder, told the same way to all who look.
import { existsSync, readdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'

/** Every regular file under a folder, relative to it; none where there is no such folder. */
export function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
}

/** As `600`. */
export async function modeOf(file: string): Promise<string> {
  return ((await stat(file)).mode & 0o7777).toString(8)
}

/** What a run that has ended has no use for: all in a state directory but journals, receipts, and what was set aside. */
export function leftoversIn(stateDir: string): string[] {
  return filesUnder(stateDir).filter(
    (file) =>
      !/^rotations\/[^/]+\.[0-9a-f]{6}\.json(\.\w+\.set-aside)?$/.test(file.replaceAll(path.sep, '/')),
  )
}

/** The secret that a `.env` has for the application, quoted or not; undefined where there is none. */
export function secretIn(dotEnv: string): string | undefined {
  return /PICTIFY_API_KEY="?(pk_[^"\s]*)/.exec(dotEnv)?.[1]
}
