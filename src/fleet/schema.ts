/** The parts of `pictify-keys.yaml`, each as it is written and what it becomes (`fleet.ts`). schema/pictify-keys.json says the same to editors. */
import * as v from 'valibot'
import type { AlertCondition, NotifierSettings, WorkingHours } from './fleet.ts'
import {
  count,
  duration,
  endOfTime,
  fields,
  latency,
  oneOf,
  share,
  shown,
  someTime,
  text,
  texts,
  timeOfDay,
  unknown,
  variable,
} from './fields.ts'

/** The file itself; what its sections hold is looked at piece by piece, so that every problem has its place. */
export const fileSchema = fields({
  version: v.literal(
    1,
    ({ input }) => `is ${shown(input)}, which this version does not read: write version: 1`,
  ),
  keys: v.optional(v.unknown()),
  audit: v.optional(v.unknown()),
  alerts: v.optional(v.unknown()),
  notify: v.optional(v.unknown()),
})

export const keySchema = fields({
  type: v.optional(oneOf('live', 'test')),
  maxAge: v.optional(someTime),
  overlap: v.optional(duration),
  to: v.optional(texts),
  verify: v.optional(text),
})

export const auditSchema = fields({
  rules: v.optional(v.unknown()),
  workingHours: v.optional(v.unknown()),
  accept: v.optional(v.unknown()),
})

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** 1 to 7 of `Mon-Fri`, `Mon-Thu, Sat`, or a list of such. */
const days = v.pipe(
  texts,
  v.rawTransform<string[], number[]>(({ dataset: { value }, addIssue, NEVER }) => {
    const found = new Set<number>()
    for (const part of value.flatMap((each) => each.split(',')).map((each) => each.trim())) {
      const [first = '', last = first] = part.split(/\s*[-–]\s*/)
      const [from, to] = [dayNames.indexOf(first), dayNames.indexOf(last)]
      if (from < 0 || to < 0 || part.split(/[-–]/).length > 2) {
        addIssue({ message: `${shown(part)} is no day of the week: write Mon-Fri, or Mon, Wed, Sat` })
        return NEVER
      }
      for (let day = from; ; day = (day + 1) % 7) {
        found.add(day + 1)
        if (day === to) break
      }
    }
    return [...found].sort()
  }),
)

const timeZone = v.pipe(
  text,
  v.check(isTimeZone, ({ input }) => {
    const said = unknown('time zone', input, [])
    const meant = unknown('time zone', input, Intl.supportedValuesOf('timeZone'))
    return meant.includes('did you mean') ? meant : `${said}: write one as Europe/Berlin, or UTC`
  }),
)

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

export const workingHoursSchema = v.pipe(
  fields({ days, from: timeOfDay, to: timeOfDay, timeZone }),
  v.check(({ from, to }) => from !== to, 'begin when they end: from and to are one time'),
  v.transform((value): WorkingHours => ({
    days: value.days,
    from: value.from,
    to: value.to,
    timeZone: value.timeZone,
  })),
)

export const acceptSchema = fields({
  rule: text,
  key: v.optional(text),
  until: v.optional(endOfTime),
  reason: text,
})

const span = v.optional(oneOf('24h', '7d', '30d'), '24h')
/** Of fewer requests one failure or one slow answer is too large a share. */
const minRequests = v.optional(count, 20)
const everyAlert = {
  name: text,
  when: v.unknown(),
  keys: v.optional(text),
  for: v.optional(duration),
  keepFiringFor: v.optional(duration),
  remindAfter: v.optional(someTime),
  notify: v.optional(texts),
}

/** By the word under `when`: the fields besides those of every alert, and what they mean. */
export const alertSchemas = {
  requests: alert({ over: count, in: span }, (own) => ({ kind: 'requests', ...own })),
  'error-rate': alert({ over: share, in: span, minRequests }, (own) => ({ kind: 'error-rate', ...own })),
  p95: alert({ over: latency, in: span, minRequests }, ({ over, ...own }) => ({
    kind: 'p95',
    overMs: over,
    ...own,
  })),
  spike: alert({}, () => ({ kind: 'spike' })),
  'new-country': alert({}, () => ({ kind: 'new-country' })),
  'new-network': alert({}, () => ({ kind: 'new-network' })),
  'outside-hours': alert({}, () => ({ kind: 'outside-hours' })),
  'too-old': alert({ after: someTime }, ({ after }) => ({ kind: 'too-old', afterMs: after })),
  unused: alert({ after: someTime }, ({ after }) => ({ kind: 'unused', forMs: after })),
}

function alert<const T extends v.ObjectEntries>(
  entries: T,
  conditionOf: (own: v.InferOutput<v.ObjectSchema<T, undefined>>) => AlertCondition,
) {
  return v.pipe(
    fields({ ...everyAlert, ...entries }),
    v.transform((value) => {
      const {
        name,
        keys,
        notify,
        for: forMs = 0,
        keepFiringFor = 0,
        remindAfter,
      } = value as unknown as EveryAlert
      const own = Object.fromEntries(Object.entries(value).filter(([field]) => field in entries))
      return {
        name,
        keys,
        notify,
        forMs,
        keepFiringForMs: keepFiringFor,
        remindAfterMs: remindAfter,
        condition: conditionOf(own as v.InferOutput<v.ObjectSchema<T, undefined>>),
      }
    }),
  )
}

interface EveryAlert {
  name: string
  keys?: string
  notify?: string[]
  for?: number
  keepFiringFor?: number
  remindAfter?: number
}

type Notifier = NotifierSettings extends infer N ? (N extends unknown ? Omit<N, 'line'> : never) : never

const everyNotifier = { name: text, type: v.unknown() }
const addresses = v.pipe(
  texts,
  v.check((list) => list.every(isMailAddress), 'is to be a mail address, or a list of them'),
)

/** Not shown: a user and a password may be in it. */
const mailServer = v.pipe(
  text,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const url = URL.canParse(dataset.value) ? new URL(dataset.value) : undefined
    const isPlain = url !== undefined && ['', '/'].includes(url.pathname) && url.search + url.hash === ''
    if (url === undefined || !isPlain || !['smtps:', 'smtp:'].includes(url.protocol) || url.hostname === '') {
      addIssue({ message: 'is to be smtps://host:465 or smtp://host:587' })
    } else if (url.username !== '' || url.password !== '') {
      addIssue({ message: 'has a user or a password in it: name their variables in userEnv and passwordEnv' })
    }
  }),
)

/** By the word under `type`. */
export const notifierSchemas = {
  slack: v.pipe(
    fields({ ...everyNotifier, urlEnv: variable }),
    v.transform(({ name, urlEnv }): Notifier => ({ name, kind: 'slack', urlEnv })),
  ),
  webhook: v.pipe(
    fields({ ...everyNotifier, urlEnv: variable, secretEnv: v.optional(variable) }),
    v.transform(({ name, urlEnv, secretEnv }): Notifier => ({ name, kind: 'webhook', urlEnv, secretEnv })),
  ),
  email: v.pipe(
    fields({
      ...everyNotifier,
      server: mailServer,
      from: v.pipe(text, v.check(isMailAddress, 'is to be a mail address')),
      to: addresses,
      userEnv: v.optional(variable),
      passwordEnv: v.optional(variable),
    }),
    v.transform(({ name, server, from, to, userEnv, passwordEnv }): Notifier => ({
      name,
      kind: 'email',
      server,
      from,
      to,
      userEnv,
      passwordEnv,
    })),
  ),
}

/** `ops@example.com`, or with a name before it in angle brackets. */
function isMailAddress(written: string): boolean {
  return /^(?:[^<>@]+<[^\s@<>,]+@[^\s@<>,]+>|[^\s@<>,]+@[^\s@<>,]+)$/.test(written)
}
