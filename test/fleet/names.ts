import type { Names } from '../../src/fleet/reader.ts'
import { readFleet } from '../../src/fleet/reader.ts'
import { checkIgnored } from '../../src/audit/ignored.ts'
import { rules } from '../../src/audit/rules.ts'
import { loadNameGlobs } from '../../src/commands/name-glob.ts'
import { KeysError } from '../../src/errors.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { parseTarget } from '../../src/targets/index.ts'
import { testDeps } from '../targets/deps.ts'

const glob = await loadNameGlobs()

/** What the program itself hands to the reader. */
export const names: Names = {
  rules: new Map(rules.map(({ id, settings = {} }) => [id, settings])),
  checkTarget: (spec) => void parseTarget(spec, testDeps('/srv/team')),
  checkGlob: (text) => void glob(text),
  checkIgnored: (kind, text) => void (kind === 'files' ? glob(text) : checkIgnored(kind, text)),
}

export function read(text: string): Fleet {
  return readFleet(text, '/srv/team/pictify-keys.yaml', 'pictify-keys.yaml', names)
}

/** What is wrong with a file, a line each: `4:7 there is no field …`. */
export function problemsOf(text: string): string[] {
  try {
    read(text)
    return []
  } catch (error) {
    if (!(error instanceof KeysError) || error.code !== 'keys-file') throw error
    return error.message.split('\n').map((line) => line.replace(/^pictify-keys\.yaml:(\d+:\d+):/, '$1'))
  }
}
