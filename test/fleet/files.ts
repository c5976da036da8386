/** Files that the reader takes or refuses; schema/pictify-keys.json takes and refuses the same. */

export const whole = `version: 1
keys:
  Production Server:
    type: live
    maxAge: 90d
    overlap: 24h
    to: [env:.env#PICTIFY_API_KEY, 'file:/srv/app/pictify.key']
    verify: ./smoke-test.sh
  key_4f8s2k1n9d0q: { to: manual:the wiki }
  CI:
audit:
  rules:
    vague-name: off
    unused: { severity: warning, warnAfter: 14d, errorAfter: 60d }
    error-rate: { warnAbove: 2%, errorAbove: 10%, minRequests: 50 }
  workingHours: { days: 'Mon-Thu, Sat', from: '08:00', to: '18:30', timeZone: Europe/Berlin }
  accept:
    - { rule: unused, key: CI, until: 2027-01-31, reason: it comes back in January }
    - { rule: key-age, reason: all are replaced by the new account }
alerts:
  - { name: busy, when: requests, over: 10000, in: 7d, keys: Production *, notify: ops }
  - { name: failing, when: error-rate, over: 5%, for: 15m, keepFiringFor: 1h, notify: [ops, mail], remindAfter: 24h }
  - { name: slow, when: p95, over: 800ms, minRequests: 100 }
  - { name: old, when: too-old, after: 365d }
  - { name: odd, when: spike }
notify:
  - { name: ops, type: slack, urlEnv: SLACK_URL }
  - { name: hook, type: webhook, urlEnv: HOOK_URL, secretEnv: HOOK_SECRET }
  - { name: mail, type: email, server: 'smtps://mail.example:465', from: Keys <keys@team.example>, to: a@team.example, userEnv: U, passwordEnv: P }
`

/** A line of a file that has everything, in another's place. */
export const changed = (from: string, to: string) => {
  if (!whole.includes(from)) throw new Error(`there is no ${from}`)
  return whole.replace(from, to)
}

export const good: readonly [string, string][] = [
  ['everything', whole],
  ['the version alone', 'version: 1\n'],
  ['sections that are empty', 'version: 1\nkeys:\naudit:\nalerts:\nnotify:\n'],
  ['Windows line ends', whole.replaceAll('\n', '\r\n')],
  ['anchors', 'version: 1\nkeys:\n  A: &usual { maxAge: 90d }\n  B: *usual\n'],
  [
    'over the weekend and midnight',
    changed("'Mon-Thu, Sat', from: '08:00', to: '18:30'", "[Sat-Mon, Wed], from: '22:00', to: '6:00'"),
  ],
  ['to the end of the day', changed("to: '18:30'", "to: '24:00'")],
  ['an instant', changed('2027-01-31', '2027-01-31T12:00:00+02:00')],
  [
    'each rule with what it goes by',
    `version: 1
audit:
  rules:
    error-rate: { warnAbove: 0%, errorAbove: 100% }
    latency: { warnAbove: 1, errorAbove: 2.5, minRequests: 0 }
    too-many-admin-keys: { warnAbove: 1 }
    new-country: { ignore: [DE, T1], minRequests: 3 }
    new-network: { ignore: [203.0.113.0/24, 198.51.100.7, '2001:db8::/32', '::1', 203.0.*] }
    shared-key: { ignore: ['my-cron*', '10.0.0.0/8', 'Mozilla/5.0 (X11)', 'node:1'] }
    secret-in-tree: { ignore: ['test/**'] }
`,
  ],
  ['no overlap', changed('overlap: 24h', 'overlap: 0s')],
  [
    'names that objects have',
    'version: 1\nkeys:\n  constructor: { type: test }\n  __proto__: { type: live }\n',
  ],
]

/** What a schema cannot tell: what others know, what is said twice, and what YAML itself has. */
export const beyondSchema: readonly [string, string, readonly string[]][] = [
  [
    'a country that is written otherwise',
    changed('vague-name: off', 'new-country: { ignore: UK }'),
    ['13:20 "UK" is no country; did you mean GB?'],
  ],
  [
    'a network among programs',
    changed('vague-name: off', 'shared-key: { ignore: 10.0.0.0/33 }'),
    [
      '13:19 "10.0.0.0/33" is no network; write one as 203.0.113.0/24 or 2001:db8::/32, an address, or a glob (203.0.*)',
    ],
  ],
  [
    'a glob that is none',
    changed('vague-name: off', "secret-in-tree: { ignore: 'a[' }"),
    [
      '13:23 "a[" is not a glob; close every bracket, or write \\[ for the character itself; * stands for anything, ? for one character',
    ],
  ],
  [
    'less of an error than of a warning',
    changed('warnAbove: 2%', 'warnAbove: 20%'),
    ['15:17 error-rate warns above what is an error: warnAbove is to be less than errorAbove'],
  ],
  [
    'a warning after the error',
    changed('warnAfter: 14d', 'warnAfter: 70d'),
    ['14:13 unused warns after it is an error: warnAfter is to be shorter than errorAfter'],
  ],
  [
    'a zone that there is not',
    changed('Europe/Berlin', 'Europe/Berln'),
    ['16:79 there is no time zone Europe/Berln; did you mean Europe/Berlin?'],
  ],
  [
    'hours of no length',
    changed("'18:30'", "'08:00'"),
    ['16:17 workingHours begin when they end: from and to are one time'],
  ],
  [
    'the 31st of February',
    changed('2027-01-31', '2027-02-31'),
    ['18:39 until "2027-02-31" is no day: write 2027-01-31'],
  ],
  [
    'a century and more',
    changed('maxAge: 90d', 'maxAge: 40000d'),
    ['5:13 maxAge "40000d" is longer than a century: write 30s, 15m, 24h, 90d'],
  ],
  [
    'a target that there is not',
    changed('file:/srv', 'fiel:/srv'),
    ['7:36 there is no target of the kind "fiel"; did you mean file:/srv/app/pictify.key?'],
  ],
  [
    'no glob',
    changed('keys: Production *', "keys: 'Production ['"),
    [
      '21:56 "Production [" is not a glob; close every bracket, or write \\[ for the character itself; * stands for anything, ? for one character',
    ],
  ],
  [
    'a notifier that is not named',
    changed('notify: [ops, mail]', 'notify: [ops, mial]'),
    ['22:93 there is no notifier mial; did you mean mail?'],
  ],
  ['two alerts of a name', changed('name: odd', 'name: busy'), ['25:13 name is "busy", as that of line 21']],
  [
    'two notifiers of a name',
    changed('name: hook', 'name: ops'),
    ['28:13 name is "ops", as that of line 27'],
  ],
  [
    'a key twice',
    changed('  CI:\n', '  Production Server: { maxAge: 1 }\n'),
    ['10:3 this name is in the same mapping twice', '10:32 maxAge 1 is no duration: write 1d'],
  ],
  [
    'a key twice, of which both are wrong',
    changed('  CI:\n', '  CI: { maxAge: 1 }\n  CI: { typ: live }\n'),
    [
      '10:17 maxAge 1 is no duration: write 1d',
      '11:3 this name is in the same mapping twice',
      '11:9 there is no field typ; did you mean type?',
    ],
  ],
  [
    'a field twice',
    changed('type: live', 'type: live\n    type: test'),
    ['5:5 this name is in the same mapping twice'],
  ],
  [
    'a name that is a number',
    'version: 1\nkeys: { 12: {} }\n',
    ['2:9 a name is a text: put it in quotes, "12"'],
  ],
  [
    'a name that is a list',
    'version: 1\nkeys: { ? [a] : {} }\n',
    ['2:11 a name is a text, not a list or a mapping'],
  ],
  [
    'what every object has',
    'version: 1\nconstructor: {}\naudit: { toString: 1 }\n',
    [
      '2:1 there is no field constructor',
      '3:10 there is no field toString; there are rules, workingHours, accept',
    ],
  ],
  ['two documents', 'version: 1\n---\nversion: 1\n', ['2:1 a second document begins: the file is one']],
  ['a tag', 'version: 1\nkeys: !team {}\n', ['2:7 tags are not read']],
  [
    'a merge key',
    'version: 1\nkeys: { A: &a { type: live }, B: { <<: *a } }\n',
    ['2:36 there is no field <<; there are type, maxAge, overlap, to, verify'],
  ],
  ['an anchor that is not there', 'version: 1\nkeys: { A: *b }\n', ['2:12 there is no anchor &b before it']],
  ['a tab', 'version: 1\nkeys:\n\tA: {}\n', ['3:1 lines are indented by spaces, never by tabs']],
  [
    'a secret',
    changed('./smoke-test.sh', 'curl -H pk_live_0123456789abcdefghij'),
    [
      '8:21 a secret is written in the file: take it out, and rotate its key, which whoever has the file can use',
    ],
  ],
]
