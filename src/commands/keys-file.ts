import path from 'node:path'
import { checkIgnored } from '../audit/ignored.ts'
import { rules } from '../audit/rules.ts'
import type { Context } from '../context.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { findKeysFile, isThere, keysFileName, readKeysText } from '../fleet/keys-file.ts'
import type { Flag } from './command.ts'
import { loadNameGlobs } from './name-glob.ts'
import { targetDeps } from './target-deps.ts'

/** `--config` of every command that goes by the file. */
export const configFlag = {
  type: 'string',
  value: 'file',
  env: 'PICTIFY_KEYS_CONFIG',
  summary: `the keys file; ${keysFileName} of this folder, or of one above it in the repository`,
} as const satisfies Flag

/** What `pictify-keys.yaml` says; undefined where there is none and none is named. Throws `keys-file`. */
export async function readKeysFile(context: Context, named: string | undefined): Promise<Fleet | undefined> {
  const { cwd } = context
  const file = named === undefined ? await findKeysFile(cwd) : path.resolve(cwd, named)
  if (file === undefined) {
    const other = keysFileName.replace('.yaml', '.yml')
    if (await isThere(path.join(cwd, other)))
      context.out.warn(`${other} is not read: name it ${keysFileName}`)
    return undefined
  }
  const name = named ?? (path.relative(cwd, file) || file)
  const text = await readKeysText(file, name)
  const [{ readFleet }, { parseTarget }, glob] = await Promise.all([
    import('../fleet/reader.ts'),
    import('../targets/index.ts'),
    loadNameGlobs(),
  ])
  const deps = targetDeps(context, { secrets: [], createTarget: false })
  return readFleet(text, file, name, {
    rules: new Map(rules.map(({ id, settings = {} }) => [id, settings])),
    checkTarget: (spec) => void parseTarget(spec, deps),
    checkGlob: (text) => void glob(text),
    checkIgnored: (kind, text) => void (kind === 'files' ? glob(text) : checkIgnored(kind, text)),
  })
}
