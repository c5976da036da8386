// Files that are refused, and what is said of each.
import { changed } from './files.ts'

/** What it is, the file, and every problem with its line and column. */
export const bad: readonly [string, string, readonly string[]][] = [
  ['nothing', '', ['1:1 the file is to be a mapping: its fields, indented, a line each']],
  ['a list', '- 1\n', ['1:1 the file is to be a mapping: its fields, indented, a line each']],
  ['no version', 'keys: {}\n', ['1:1 needs version']],
  [
    'a version to come',
    'version: 2\n',
    ['1:10 version is 2, which this version does not read: write version: 1'],
  ],
  ['an unknown section', 'version: 1\nalarms: []\n', ['2:1 there is no field alarms; did you mean alerts?']],
  [
    'an unknown field',
    changed('maxAge: 90d', 'maxage: 90d'),
    ['5:5 there is no field maxage; did you mean maxAge?'],
  ],
  [
    'a number without a unit',
    changed('maxAge: 90d', 'maxAge: 90'),
    ['5:13 maxAge 90 is no duration: write 90d'],
  ],
  [
    'a number without a unit, as text',
    changed('maxAge: 90d', 'maxAge: "90"'),
    ['5:13 maxAge "90" is no duration: write 90d'],
  ],
  [
    'a unit in words',
    changed('maxAge: 90d', 'maxAge: 90 days'),
    ['5:13 maxAge "90 days" is no duration: write 90d'],
  ],
  [
    'a unit that there is not',
    changed('maxAge: 90d', 'maxAge: 3mo'),
    ['5:13 maxAge "3mo" is no duration: write 90d'],
  ],
  ['nothing for an age', changed('maxAge: 90d', 'maxAge: 0d'), ['5:13 maxAge is to be longer than nothing']],
  [
    'an unknown type',
    changed('type: live', 'type: production'),
    ['4:11 type is "production", but may be live, test'],
  ],
  ['keys as a list', 'version: 1\nkeys: [A]\n', ['2:7 keys is to be a mapping: a name a line']],
  [
    'a key that is a text',
    'version: 1\nkeys: { A: live }\n',
    ['2:12 A is to be a mapping: its fields, indented, a line each'],
  ],
  ['an empty command', changed('./smoke-test.sh', '""'), ['8:13 verify is empty']],
  ['a command of two lines', changed('./smoke-test.sh', '"a\\nb"'), ['8:13 verify is to be one line']],
  [
    'targets that are numbers',
    changed('{ to: manual:the wiki }', '{ to: [1] }'),
    ['9:27 to is to be a text, or a list of texts, not a list'],
  ],
  [
    'a severity that there is not',
    changed('vague-name: off', 'vague-name: none'),
    ['13:17 vague-name is "none", but may be off, note, warning, error; did you mean note?'],
  ],
  [
    'a share of nothing',
    changed('over: 5%', 'over: 0%'),
    ['22:46 over is to be more than nothing: write 5%'],
  ],
  ['a share without its sign', changed('over: 5%', 'over: 5'), ['22:46 over 5 is no share: write 5%']],
  [
    'a share of more than all',
    changed('warnAbove: 2%', 'warnAbove: 150%'),
    ['15:30 warnAbove "150%" is more than all: write 100% or less'],
  ],
  [
    'a share as a number',
    changed('warnAbove: 2%', 'warnAbove: 5'),
    ['15:30 warnAbove 5 is no share: write 5%'],
  ],
  [
    'a share as a part',
    changed('warnAbove: 2%', 'warnAbove: 0.07'),
    ['15:30 warnAbove 0.07 is no share: write 7%'],
  ],
  [
    'a negative share',
    changed('warnAbove: 2%', 'warnAbove: -1'),
    ['15:30 warnAbove -1 is no share: write 5%'],
  ],
  ...(
    [
      ['times as a share', 'latency: { warnAbove: 50% }', '"50%" is no number of times, 1 or more: write 3'],
      ['times with a sign', 'latency: { warnAbove: 4x }', '"4x" is no number of times, 1 or more: write 4'],
      ['times as 250%', 'latency: { warnAbove: 250% }', '"250%" is no number of times, 1 or more: write 2.5'],
      ['no times', 'request-spike: { warnAbove: 0 }', '0 is no number of times, 1 or more: write 3'],
      ['times without end', 'latency: { warnAbove: .inf }', 'null is no number of times, 1 or more: write 3'],
      [
        'keys as a share',
        'too-many-admin-keys: { warnAbove: 50% }',
        '"50%" is no number of keys: write a whole number from 1 on',
      ],
      [
        'no keys',
        'too-many-admin-keys: { warnAbove: 0 }',
        '0 is no number of keys: write a whole number from 1 on',
      ],
      [
        'half a key',
        'too-many-admin-keys: { warnAbove: 1.5 }',
        '1.5 is no number of keys: write a whole number from 1 on',
      ],
    ] as const
  ).map(
    ([what, rule, problem]) =>
      [
        what,
        changed('vague-name: off', rule),
        [`13:${rule.indexOf('warnAbove: ') + 16} warnAbove ${problem}`],
      ] as [string, string, string[]],
  ),
  [
    'countries in other words',
    changed('vague-name: off', 'new-country: { ignore: [de, Germany, Deutschland] }'),
    [
      '13:29 "de" is no country; did you mean DE?',
      '13:33 "Germany" is no country; did you mean DE?',
      '13:42 "Deutschland" is no country; write its two letters, as DE',
    ],
  ],
  [
    'networks that there are not',
    changed('vague-name: off', 'new-network: { ignore: [10.0.0.0/33, 300.1.1.0/24, "::/129", office] }'),
    ['13:29 "10.0.0.0/33"', '13:42 "300.1.1.0/24"', '13:56 "::/129"', '13:66 "office"'].map(
      (each) =>
        `${each} is no network; write one as 203.0.113.0/24 or 2001:db8::/32, an address, or a glob (203.0.*)`,
    ),
  ],
  [
    'a rule that there is not',
    changed('vague-name: off', 'vague-nam: { severity: none, warnAfter: 3d }'),
    [
      '13:5 there is no rule vague-nam; did you mean vague-name?',
      '13:28 severity is "none", but may be off, note, warning, error; did you mean note?',
      '13:34 there is no setting of vague-name warnAfter; there are severity',
    ],
  ],
  [
    'an accepted rule that there is not, without a reason',
    changed('rule: unused, key: CI, until: 2027-01-31, reason: it comes back in January', 'rule: unsued'),
    ['18:7 needs reason', '18:15 there is no rule unsued; did you mean unused?'],
  ],
  [
    'a setting that a rule does not go by',
    changed('vague-name: off', 'vague-name: { warnAfter: 3d }'),
    ['13:19 there is no setting of vague-name warnAfter; there are severity'],
  ],
  [
    'days that there are not',
    changed('Mon-Thu, Sat', 'Mon-Thr'),
    ['16:25 days "Mon-Thr" is no day of the week: write Mon-Fri, or Mon, Wed, Sat'],
  ],
  [
    'a time of 12 hours',
    changed("from: '08:00'", 'from: 8am'),
    ['16:47 from "8am" is no time of day: write "08:00"'],
  ],
  [
    'a time after the day',
    changed("'08:00'", "'24:30'"),
    ['16:47 from "24:30" is no time of day: write "08:00"'],
  ],
  ['hours without a zone', changed(', timeZone: Europe/Berlin', ''), ['16:17 needs timeZone']],
  [
    'an acceptance without a reason',
    changed(', reason: it comes back in January', ''),
    ['18:7 needs reason'],
  ],
  [
    'a day that is none',
    changed('2027-01-31', '31.1.2027'),
    ['18:39 until "31.1.2027" is no day: write 2027-01-31'],
  ],
  [
    'alerts as a mapping',
    'version: 1\nalerts: { a: 1 }\n',
    ['2:9 alerts is to be a list: entries that begin with -'],
  ],
  [
    'an alert that is a text',
    'version: 1\nalerts: [spike]\n',
    ['2:10 alerts is to have mappings for entries: their fields, indented, a line each'],
  ],
  [
    'an alert without a condition',
    changed(', when: spike', ''),
    [
      '25:5 needs when: requests, error-rate, p95, spike, new-country, new-network, outside-hours, too-old, unused',
    ],
  ],
  [
    'a condition that there is not',
    changed('when: spike', 'when: spikes'),
    ['25:24 there is no when spikes; did you mean spike?'],
  ],
  [
    'a condition under another word, beside another mistake',
    changed('when: p95, over: 800ms', 'whn: p95, over: 800'),
    [
      '23:5 needs when',
      '23:19 there is no field whn; did you mean when?',
      '23:35 over 800 is no duration: write 800ms or 800s',
    ],
  ],
  ['a condition without its limit', changed(', over: 10000', ''), ['21:5 needs over']],
  [
    'a limit that another condition has',
    changed('when: spike', 'when: spike, over: 3'),
    ['25:31 there is no field over; there are name, when, keys, for, keepFiringFor, remindAfter, notify'],
  ],
  [
    'a window that there is not',
    changed('in: 7d', 'in: 14d'),
    ['21:52 in is "14d", but may be 24h, 7d, 30d; did you mean 24h?'],
  ],
  [
    'a latency without a unit',
    changed('over: 800ms', 'over: 2'),
    ['23:36 over 2 is no duration: write 2ms or 2s'],
  ],
  [
    'a notifier that there is not',
    changed('type: slack', 'type: pager'),
    ['27:24 there is no type pager; there are slack, webhook, email'],
  ],
  [
    'a URL where its variable belongs',
    changed('urlEnv: SLACK_URL', 'urlEnv: https://hooks.example/T0/secret'),
    ['27:39 urlEnv is not the name of an environment variable: letters, digits and _'],
  ],
  [
    'a password in a server',
    changed('smtps://mail', 'smtps://me:hunter2@mail'),
    ['29:40 server has a user or a password in it: name their variables in userEnv and passwordEnv'],
  ],
  [
    'a server of another kind',
    changed('smtps://mail.example:465', 'mail.example'),
    ['29:40 server is to be smtps://host:465 or smtp://host:587'],
  ],
  [
    'no mail address',
    changed('to: a@team.example', 'to: [a@team.example, everybody]'),
    ['29:104 to is to be a mail address, or a list of them'],
  ],
]
