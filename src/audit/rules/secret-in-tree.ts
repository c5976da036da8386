import type { Key } from '../../api/contract.ts'
import type { Severity } from '../../fleet/fleet.ts'
import { isEnvironmentFile } from '../environment-file.ts'
import type { Finding } from '../finding.ts'
import { entryOf } from '../fleet-keys.ts'
import { rotateLeakedLine } from '../rotate-line.ts'
import type { Rule } from '../rule.ts'
import type { Survey, TreeSecret } from '../survey.ts'

export const secretInTree: Rule = {
  id: 'secret-in-tree',
  severity: 'error',
  summary: 'a secret stands in a file of the working tree',
  help:
    'Whoever can read the repository has the key. Told by text shaped like a secret (pk_live_… and pk_test_…, also in base64 and UTF-16) in files that git tracks, as they are and as its index has them (an error), or does not ignore (a warning), submodules included; without a repository in the environment files of the working directory (`.env*` and `*.env`; a note). What repeats itself, runs on (abcdef), or is made of words (pk_live_your_key_here) is a placeholder. ' +
    'The admin key in use is an error, and so is one that the API takes (`--probe`); one that it takes no more is a note. An environment file of no repository is where such a key belongs: there it is an error only where others than the owner may read the file. ' +
    'The publishable keys of Stripe, Clerk, Paystack and others begin the same: by their shape, or by the name they are set to, they are told apart, and are a note until the API takes one. Files that are meant to have such text are named under `ignore` (globs from the repository’s root; * stands for anything), and a line by a comment: pictify-keys:ignore. History is not searched: `git log --all -p -S pk_live_` shows the commits that added or removed one.',
  needs: ['tree'],
  settings: { ignore: 'files' },
  goesByOwnKey: true,
  *check(survey) {
    if (!survey.tree.known) return
    for (const found of survey.tree.value.secrets) yield findingOf(survey, found)
  },
}

function findingOf(survey: Survey, found: TreeSecret): Finding {
  const { file, line, masked, state, probe, isOwn, encoding, mayBeOf } = found
  const id = isOwn ? (found.keyId ?? survey.ownKeyId) : found.keyId
  const key = survey.keys.find((each) => each.id === id)
  const isOthers = mayBeOf !== undefined && !works(found)
  return {
    rule: 'secret-in-tree',
    severity: severityOf(found),
    key,
    message: [
      `${masked} ${statements[state]}`,
      ...(isOwn ? ['it is the admin key in use'] : []),
      ...(probe === undefined ? [] : [answers[probe]]),
      ...(isOthers ? [`it may be a publishable key of ${mayBeOf}, which is no secret`] : []),
      ...(isWithoutPlace(found) ? [`say with --to where ${found.ownVariable} is kept`] : []),
    ].join('; '),
    evidence: {
      secret: masked,
      file: states[state],
      ...(encoding && { writtenIn: encoding }),
      works: probe ?? 'not asked',
      ...(isOthers && { mayBeOf }),
    },
    ...mendOf(survey, found, key),
    place: { file, line },
  }
}

const statements: Readonly<Record<TreeSecret['state'], string>> = {
  tracked: 'stands in a file that git tracks: take it out, and rotate its key, for history keeps it',
  'in-index':
    'stands in what git tracks of a file (its index), and no more in the file: take it out there too (git add), and rotate its key',
  'not-ignored': 'stands in a file that git does not ignore: add the file to .gitignore, or take it out',
  'no-repository': 'stands in a file of no repository: see that nobody else can read it',
}

const states: Readonly<Record<TreeSecret['state'], string>> = {
  tracked: 'tracked by git',
  'in-index': 'in git’s index alone',
  'not-ignored': 'not ignored by git',
  'no-repository': 'in no repository',
}

const answers = {
  accepted: 'it works',
  refused: 'it works no more',
  unknown: 'whether it works, the API did not say',
} as const

/** The audit itself is made with the admin key in use. */
function works({ isOwn, probe }: TreeSecret): boolean {
  return isOwn || probe === 'accepted'
}

function severityOf(found: TreeSecret): Severity {
  const { state, probe, mayBeOf, isOpen } = found
  // an application's .env on its server is where a secret belongs
  if (state === 'no-repository') return works(found) && isOpen ? 'error' : 'note'
  if (works(found)) return 'error'
  if (probe === 'refused' || mayBeOf !== undefined) return 'note'
  return state === 'not-ignored' ? 'warning' : 'error'
}

function mendOf(
  survey: Survey,
  found: TreeSecret,
  key: Key | undefined,
): Pick<Finding, 'mend' | 'mendFirst'> {
  const { file, state, probe, isOpen } = found
  const untrack = state === 'tracked' && isRead(file) ? untrackWords(file) : undefined
  if (state === 'no-repository' && works(found))
    return { mend: isOpen ? ['chmod', '600', '--', file] : undefined }
  const rotate = state === 'no-repository' ? undefined : rotateWords(survey, found, key)
  if (rotate !== undefined) return { mend: rotate, ...(untrack && { mendFirst: untrack }) }
  if (probe === undefined) return { mend: ['pictify-keys', 'audit', '--rule', 'secret-in-tree', '--probe'] }
  return { mend: untrack }
}

/** In the file's own folder, which may be of a submodule. */
function untrackWords(file: string): string[] {
  const end = file.lastIndexOf('/')
  const folder = end === -1 ? [] : ['-C', file.slice(0, end)]
  return ['git', ...folder, 'rm', '--cached', '--', file.slice(end + 1)]
}

/** To the places that the keys file names; else to the file itself, where an application reads it. */
function rotateWords(survey: Survey, found: TreeSecret, key: Key | undefined): string[] | undefined {
  if (found.isOwn) {
    // a person is asked for the place where the key is named, and not with --self
    const subject = isWithoutPlace(found) && key !== undefined ? key.id : '--self'
    return ['pictify-keys', 'rotate', subject, '--compromised', ...placeOf(found)]
  }
  if (key === undefined) return undefined
  const entry = survey.fleet.known ? entryOf(key, survey.fleet.value) : undefined
  const line = rotateLeakedLine(key.id, entry)
  return entry !== undefined && entry.to.length > 0 ? line : [...line, ...placeOf(found)]
}

/** None of what the file itself has no more. */
function placeOf({ file, variable, state }: TreeSecret): string[] {
  const isFit = state !== 'in-index' && isRead(file) && variable !== undefined
  return isFit ? ['--to', `env:${file}#${variable}`] : []
}

/** The admin key in use comes from the environment, and where that has it from is not known. */
function isWithoutPlace(found: TreeSecret): boolean {
  const { state, ownVariable } = found
  return state !== 'no-repository' && ownVariable !== undefined && placeOf(found).length === 0
}

/** An application reads it: it is no example of one. */
function isRead(file: string): boolean {
  return isEnvironmentFile(file) && !/\.(?:example|sample|template|dist)(?:\.env)?$/.test(file)
}
