import { wordsOf, wordsThatSay } from '../naming.ts'
import type { Rule } from '../rule.ts'

export const vagueName: Rule = {
  id: 'vague-name',
  severity: 'warning',
  summary: 'a name does not say what uses the key',
  help: 'Whoever has to revoke a key at night goes by its name. It is told word by word: numbers, single letters, random characters, runs of a keyboard (asdf), and words that fit any key (key, API, test, live, new, my, temp, and what they are in some other languages), run together too (mykey), say nothing, and a name of nothing else is vague. "Test Suite CI (staging)" says more than that; "Test", "Key 1" and "my new key" do not.',
  needs: [],
  *check({ keys }) {
    for (const key of keys) {
      if (key.status !== 'active') continue
      if (key.name !== key.id && wordsThatSay(key.name).length > 0) continue
      yield {
        rule: 'vague-name',
        severity: 'warning',
        key,
        message: 'has a name that does not say what uses it',
        evidence: { name: key.name, wordsThatSayNothing: wordsOf(key.name) },
        mend: ['pictify-keys', 'rename', key.id],
      }
    }
  },
}
