import type { Severity } from '../../fleet/fleet.ts'
import type { Finding } from '../finding.ts'
import { entryOf } from '../fleet-keys.ts'
import { rotateLeakedLine } from '../rotate-line.ts'
import type { Rule } from '../rule.ts'
import type { Survey, TreeSecret } from '../survey.ts'

export const secretInTree: Rule = {
  id: 'secret-in-tree',
  severity: 'error',
  summary: 'a secret stands in a file of the working tree',
  help: 'Whoever can read the repository has the key. Told by text shaped like a secret (pk_live_… and pk_test_…, also in base64 and UTF-16) in files that git tracks (an error) or does not ignore (a warning), submodules included; without a repository in the `.env` files of the working directory (a note). What repeats itself, runs on (abcdef), or is made of words (pk_live_your_key_here) is a placeholder. With `--probe` the API is asked: a secret that works is an error, one that does not is a note. Stripe’s publishable keys look the same: where its name is in the line, it is a note until the API takes it. Files that are meant to have such text are named under `ignore` (globs from the repository’s root; * stands for anything), and a line by a comment: pictify-keys:ignore. History is not searched: `git log --all -p -S pk_live_` shows the commits that added or removed one.',
  needs: ['tree'],
  settings: { ignore: 'files' },
  *check(survey) {
    if (!survey.tree.known) return
    for (const found of survey.tree.value) yield findingOf(survey, found)
  },
}

function findingOf(survey: Survey, found: TreeSecret): Finding {
  const { file, line, masked, state, probe, keyId, encoding, isOwn } = found
  const key = survey.keys.find(({ id }) => id === keyId)
  return {
    rule: 'secret-in-tree',
    severity: severityOf(found),
    key,
    message: `${masked} ${statements[state]}${isOwn ? '; it is the admin key in use' : ''}${answers[probe ?? 'not asked']}`,
    evidence: {
      secret: masked,
      file: states[state],
      ...(encoding && { writtenIn: encoding }),
      works: probe === undefined ? 'not asked' : probe,
      ...(found.mayBeOthers && { lineNames: 'Stripe' }),
    },
    mend: mend(survey, found, key),
    place: { file, line },
  }
}

const statements: Readonly<Record<TreeSecret['state'], string>> = {
  tracked: 'stands in a file that git tracks: take it out, and rotate its key, for history keeps it',
  'not-ignored': 'stands in a file that git does not ignore: add the file to .gitignore, or take it out',
  'no-repository': 'stands in a file of no repository: see that nobody else can read it',
}

const states = {
  tracked: 'tracked by git',
  'not-ignored': 'not ignored by git',
  'no-repository': 'in no repository',
} as const

const answers = {
  accepted: '; it works',
  refused: '; it works no more',
  unknown: '; whether it works, the API did not say',
  'not asked': '',
} as const

function severityOf({ state, probe, mayBeOthers }: TreeSecret): Severity {
  if (probe === 'refused') return 'note'
  // an application's .env on its server is where a secret belongs
  if (state === 'no-repository') return probe === 'accepted' ? 'warning' : 'note'
  if (probe === 'accepted') return 'error'
  if (mayBeOthers) return 'note'
  return state === 'tracked' ? 'error' : 'warning'
}

function mend(survey: Survey, found: TreeSecret, key: Finding['key']): readonly string[] | undefined {
  const { file, state, probe, isOwn } = found
  if (state !== 'no-repository') {
    if (isOwn) return ['pictify-keys', 'rotate', '--self', '--compromised', ...placeOf(found)]
    if (key !== undefined) return leakedLine(survey, found, key.id)
  }
  if (probe === undefined) return ['pictify-keys', 'audit', '--rule', 'secret-in-tree', '--probe']
  return state === 'tracked' && isEnvironmentFile(file) ? ['git', 'rm', '--cached', '--', file] : undefined
}

/** To the places that the keys file names; else to the file itself, where an application reads it. */
function leakedLine({ fleet, keys }: Survey, found: TreeSecret, keyId: string): string[] {
  const key = keys.find(({ id }) => id === keyId)
  const entry = fleet.known && key !== undefined ? entryOf(key, fleet.value) : undefined
  const line = rotateLeakedLine(keyId, entry)
  return entry !== undefined && entry.to.length > 0 ? line : [...line, ...placeOf(found)]
}

/** None in a file that git tracks: the next commit would have the new secret too. */
function placeOf({ file, variable, state }: TreeSecret): string[] {
  const isFit = state === 'not-ignored' && isEnvironmentFile(file)
  return isFit && variable !== undefined ? ['--to', `env:${file}#${variable}`] : []
}

function isEnvironmentFile(file: string): boolean {
  return /(?:^|\/)\.env[^/]*$/.test(file)
}
