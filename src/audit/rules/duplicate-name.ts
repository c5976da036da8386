import type { Key } from '../../api/contract.ts'
import type { Finding } from '../finding.ts'
import { folded } from '../naming.ts'
import type { Rule } from '../rule.ts'

export const duplicateName: Rule = {
  id: 'duplicate-name',
  severity: 'warning',
  summary: 'several active keys have one name',
  help: 'A name that is not unique is refused where a key is named by it, and the wrong key is soon revoked in the dashboard. Names that are alike but for case, spaces and punctuation are a note. The successor of a rotation carries its mark until the old key is gone, and is no duplicate.',
  needs: ['rotations'],
  *check({ keys, rotations }) {
    const marked = new Set(rotations.known ? rotations.value.map(({ newKeyId }) => newKeyId) : [])
    const active = keys.filter(({ id, status }) => status === 'active' && !marked.has(id))
    for (const alike of groups(active, ({ name }) => folded(name) || name)) {
      const same = groups(alike, ({ name }) => name)
      for (const group of same) yield finding(group, 'warning')
      if (same.length === 0 || new Set(alike.map(({ name }) => name)).size > 1) yield finding(alike, 'note')
    }
  },
}

/** Two and more that have something in common. */
function groups(keys: readonly Key[], commonOf: (key: Key) => string): Key[][] {
  const found = new Map<string, Key[]>()
  for (const key of keys) {
    const common = commonOf(key)
    const group = found.get(common)
    if (group === undefined) found.set(common, [key])
    else group.push(key)
  }
  return [...found.values()].filter(({ length }) => length > 1)
}

/** About the newest of them: others may know the older ones by that name already. */
function finding(group: readonly Key[], severity: Finding['severity']): Finding {
  const [newest, ...others] = [...group].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt))
  if (newest === undefined) throw new TypeError('a group without keys')
  const count = others.length === 1 ? 'another active key' : `${others.length} other active keys`
  return {
    rule: 'duplicate-name',
    severity,
    key: newest,
    message:
      severity === 'warning'
        ? `has the name of ${count}`
        : `has a name that is easily taken for that of ${count}`,
    evidence: { others: others.map(({ id, name }) => (severity === 'warning' ? id : `${name} (${id})`)) },
    mend: ['pictify-keys', 'rename', newest.id],
  }
}
