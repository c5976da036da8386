import { KeysError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { readDocument, type KeysDocument, type Path, type Problem } from './document.ts'
import { isMapping, shown, unknown } from './fields.ts'
import type {
  Acceptance,
  AlertRule,
  AuditSettings,
  Fleet,
  FleetKey,
  NotifierSettings,
  RuleSettings,
  SettingKinds,
} from './fleet.ts'
import { createNotes, type AnySchema, type Notes } from './notes.ts'
import { ruleSchema } from './rule-settings.ts'
import * as schemas from './schema.ts'

/** What the file names and others know. */
export interface Names {
  /** By the id of a rule the settings that it goes by, and how each is written. */
  rules: ReadonlyMap<string, Partial<SettingKinds>>
  /** Throws a KeysError for what can be none of what a rule is to ignore. */
  checkIgnored(kind: SettingKinds['ignore'], pattern: string): void
  /** Throws a KeysError for what `--to` does not take. */
  checkTarget(spec: string): void
  /** Throws a KeysError for what is no glob. */
  checkGlob(glob: string): void
}

/** What the file says. Throws `keys-file` with every problem and its line; `file` is its name for people. */
export function readFleet(text: string, path: string, file: string, names: Names): Fleet {
  const read = (document: KeysDocument) => {
    const notes = createNotes(document)
    const content = document.value === undefined ? undefined : readFile(document.value, names, notes)
    return { content, problems: notes.problems }
  }
  const { content, problems } = read(readDocument(text))
  if (content !== undefined && problems.length === 0) return { path, file, ...content }
  // what a name that is there twice said at first is looked at too; what both have is told once
  throw problemsError(file, [...problems, ...read(readDocument(text, 'first')).problems])
}

function problemsError(file: string, problems: readonly Problem[]): KeysError {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
  const lines = sorted.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`)
  return new KeysError('keys-file', [...new Set(lines)].join('\n'), {
    hint: 'mend the lines that are named; nothing was asked of the API',
  })
}

function readFile(value: unknown, names: Names, notes: Notes): Omit<Fleet, 'path' | 'file'> {
  notes.parse(schemas.fileSchema, value, [])
  // what is wrong beside a section keeps it from nothing
  const root = isMapping(value) ? value : {}
  const notifiers = notes.list(root['notify'], ['notify'])
  const notify = notifiers.flatMap((each, at) => readNotifier(each, ['notify', at], notes))
  const rules = notes.list(root['alerts'], ['alerts'])
  const alerts = rules.flatMap((each, at) => readAlert(each, ['alerts', at], { names, notes, notifiers }))
  noteSameNames(notifiers, 'notify', notes)
  noteSameNames(rules, 'alerts', notes)
  return {
    keys: notes.entries(root['keys'], ['keys']).flatMap(([key, each]) => readKey(key, each, names, notes)),
    audit: readAudit(root['audit'], names, notes),
    alerts,
    notify,
  }
}

function readKey(key: string, value: unknown, names: Names, notes: Notes): FleetKey[] {
  const path = ['keys', key]
  // a name alone: the team has this key, and nothing more is said of it
  const read = notes.parse(schemas.keySchema, value ?? {}, path)
  for (const [spec, at] of textsOf(value, 'to', path)) notes.attempt(at, () => names.checkTarget(spec))
  if (read === undefined) return []
  const { type, maxAge, overlap, to = [], verify } = read
  return [{ key, line: notes.lineOf(path), type, maxAgeMs: maxAge, overlapMs: overlap, to, verify }]
}

function readAudit(value: unknown, names: Names, notes: Notes): AuditSettings {
  if (value != null) notes.parse(schemas.auditSchema, value, ['audit'])
  const read = isMapping(value) ? value : {}
  const hours = read['workingHours']
  const workingHours =
    hours === undefined
      ? undefined
      : notes.parse(schemas.workingHoursSchema, hours, ['audit', 'workingHours'])
  const rules = notes
    .entries(read['rules'], ['audit', 'rules'])
    .map(([id, settings]) => [id, readRule(id, settings, names, notes)] as const)
  const accept = notes
    .list(read['accept'], ['audit', 'accept'])
    .flatMap((each, at) => readAcceptance(each, ['audit', 'accept', at], names, notes))
  return { rules: Object.fromEntries(rules), workingHours, accept }
}

function readRule(id: string, value: unknown, names: Names, notes: Notes): RuleSettings {
  const path = ['audit', 'rules', id]
  const [meant] = names.rules.has(id) ? [id] : nearest(id, names.rules.keys())
  if (meant !== id) notes.note(path, unknown('rule', id, [...names.rules.keys()]), 'name')
  const kinds = names.rules.get(meant ?? '')
  if (meant === undefined || kinds === undefined) return {}
  const { ignore } = kinds
  if (ignore !== undefined) {
    for (const [pattern, at] of textsOf(value, 'ignore', path))
      notes.attempt(at, () => names.checkIgnored(ignore, pattern))
  }
  return notes.parse(ruleSchema(meant, kinds), value, path) ?? {}
}

function readAcceptance(value: unknown, path: Path, { rules }: Names, notes: Notes): Acceptance[] {
  const read = notes.parse(schemas.acceptSchema, value, path)
  const id = isMapping(value) ? value['rule'] : undefined
  if (typeof id === 'string' && id !== '' && !rules.has(id))
    notes.note([...path, 'rule'], unknown('rule', id, [...rules.keys()]))
  if (read === undefined) return []
  const { rule, key, until, reason } = read
  return [{ line: notes.lineOf(path), rule, key, until, reason }]
}

function readNotifier(value: unknown, path: Path, notes: Notes): NotifierSettings[] {
  const schema = schemaFor(schemas.notifierSchemas, value, path, 'type', notes)
  const read = schema && notes.parse(schema, value, path)
  return read === undefined ? [] : [{ ...read, line: notes.lineOf(path) }]
}

function readAlert(
  value: unknown,
  path: Path,
  { names, notes, notifiers }: { names: Names; notes: Notes; notifiers: readonly unknown[] },
): AlertRule[] {
  const schema = schemaFor(schemas.alertSchemas, value, path, 'when', notes)
  const read = schema && notes.parse(schema, value, path)
  for (const [glob, at] of textsOf(value, 'keys', path)) notes.attempt(at, () => names.checkGlob(glob))
  const known = notifiers.flatMap((each) =>
    isMapping(each) && typeof each['name'] === 'string' ? [each['name']] : [],
  )
  for (const [name, at] of textsOf(value, 'notify', path)) {
    if (!known.includes(name)) notes.note(at, unknown('notifier', name, known))
  }
  return read === undefined ? [] : [{ ...read, line: notes.lineOf(path) }]
}

/** The texts of a field that has one or several, each with its place; what else stands there the schema has noted. */
function textsOf(value: unknown, field: string, path: Path): [string, Path][] {
  const texts: unknown = isMapping(value) ? value[field] : undefined
  if (typeof texts === 'string') return texts === '' ? [] : [[texts, [...path, field]]]
  if (!Array.isArray(texts)) return []
  return texts.flatMap((each: unknown, at): [string, Path][] =>
    typeof each === 'string' && each !== '' ? [[each, [...path, field, at]]] : [],
  )
}

/** The schema of a list's entry, by the word in it that says what it is. */
function schemaFor<S extends AnySchema>(
  all: Readonly<Record<string, S>>,
  value: unknown,
  path: Path,
  word: string,
  notes: Notes,
): S | undefined {
  if (!isMapping(value)) {
    notes.note(path, 'is to have mappings for entries: their fields, indented, a line each')
    return undefined
  }
  const kinds = Object.keys(all)
  const [like] = word in value ? [] : nearest(word, Object.keys(value))
  const kind = value[like ?? word]
  if (typeof kind === 'string' && Object.hasOwn(all, kind)) return all[kind]
  if (kind === undefined) notes.note(path, `needs ${word}: ${kinds.join(', ')}`)
  else if (typeof kind === 'string') notes.note([...path, word], unknown(word, kind, kinds))
  else notes.note([...path, word], `is ${shown(kind)}, but may be ${kinds.join(', ')}`)
  // what is wrong with the rest is told by what was most likely meant
  const [meant] = typeof kind === 'string' ? nearest(kind, kinds) : []
  return meant === undefined ? undefined : all[meant]
}

function noteSameNames(entries: readonly unknown[], section: string, notes: Notes): void {
  const seen = new Map<unknown, number>()
  for (const [at, entry] of entries.entries()) {
    const name = isMapping(entry) ? entry['name'] : undefined
    if (typeof name !== 'string') continue
    const before = seen.get(name)
    if (before === undefined) seen.set(name, notes.lineOf([section, at]))
    else notes.note([section, at, 'name'], `is ${shown(name)}, as that of line ${before}`)
  }
}
