/** What the fields of the file are made of: each says what it may be, in a sentence that goes on from its name. */
import * as v from 'valibot'
import { parseDuration } from '../duration.ts'
import { nearest } from '../nearest.ts'

/** A mapping with these fields and no others; `what` they are called where one is unknown. */
export function fields<const T extends v.ObjectEntries>(entries: T, what = 'field') {
  const names = Object.keys(entries)
  return v.pipe(
    v.custom<Record<string, unknown>>(isMapping, 'is to be a mapping: its fields, indented, a line each'),
    v.looseObject(entries, ({ path }) => `needs ${String(path?.at(-1)?.key)}`),
    v.rawCheck(({ dataset, addIssue }) => {
      const input = dataset.value as Record<string, unknown>
      for (const key of Object.keys(input)) {
        if (names.includes(key)) continue
        const path = [{ type: 'object' as const, origin: 'key' as const, input, key, value: input[key] }]
        addIssue({ message: unknown(what, key, names), path: path as never })
      }
    }),
  )
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `there is no field maxage; did you mean maxAge?` */
export function unknown(what: string, name: string, known: readonly string[]): string {
  const [meant] = nearest(name, known)
  const short = name.length > 60 ? `${name.slice(0, 60)}…` : name
  if (meant !== undefined) return `there is no ${what} ${short}; did you mean ${meant}?`
  return `there is no ${what} ${short}${known.length === 0 ? '' : `; there are ${known.join(', ')}`}`
}

/** A text on one line. */
export const text = v.pipe(
  v.string((issue) => `is to be a text, not ${shown(issue.input)}`),
  v.check((value) => value.trim() !== '', 'is empty'),
  v.check((value) => !/[\u0000-\u001f\u007f-\u009f]/.test(value), 'is to be one line'),
)

/** One text or several. */
export const texts = v.pipe(
  v.union([text, v.array(text)], (issue) => `is to be a text, or a list of texts, not ${shown(issue.input)}`),
  v.transform((value) => (typeof value === 'string' ? [value] : value)),
)

export function oneOf<const T extends string>(...options: T[]) {
  return v.picklist(options, ({ input }) => {
    const [meant] = typeof input === 'string' ? nearest(input, options) : []
    return `is ${shown(input)}, but may be ${options.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`
  })
}

/** A hundred years. */
const longestMs = 36_500 * 86_400_000

/** Milliseconds of `90d`; of a number alone one of the units is most likely meant. */
function durationIn(...units: string[]) {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, number>(({ dataset: { value }, addIssue, NEVER }) => {
      const ms = typeof value === 'string' ? msOf(value) : undefined
      if (ms !== undefined && ms <= longestMs) return ms
      const why = ms === undefined ? 'is no duration' : 'is longer than a century'
      const meant = ms === undefined ? units.flatMap((unit) => durationMeant(value, unit) ?? []) : []
      const those = meant.length === 0 ? '30s, 15m, 24h, 90d' : [...new Set(meant)].join(' or ')
      addIssue({ message: `${shown(value)} ${why}: write ${those}` })
      return NEVER
    }),
  )
}

const notZero = v.check((ms: number) => ms > 0, 'is to be longer than nothing')

export const duration = durationIn('d')
export const someTime = v.pipe(duration, notZero)
export const latency = v.pipe(durationIn('ms', 's'), notZero)

function msOf(text: string): number | undefined {
  try {
    return parseDuration(text)
  } catch {
    return undefined
  }
}

/** `90d` of 90, "90 days" and the like. */
function durationMeant(value: unknown, usual: string): string | undefined {
  const [, number, unit = usual] = /^(\d+)\s*([a-z]+)?$/i.exec(String(value).trim()) ?? []
  const [, letter] = /^(ms|s|m(?!o)|h|d)[a-z]*$/i.exec(unit) ?? []
  if (number === undefined) return undefined
  const days = { w: 7, mo: 30, y: 365 }[/^(w|mo|y)/i.exec(unit)?.[0].toLowerCase() ?? '']
  if (days !== undefined) return `${Number(number) * days}d`
  return letter === undefined ? undefined : `${number}${letter.toLowerCase()}`
}

/** 0 to 1 of `5%`. */
export const shareOrNone = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, number>(({ dataset: { value }, addIssue, NEVER }) => {
    const part = typeof value === 'string' ? percentOf(value) : undefined
    if (part !== undefined && part <= 1) return part
    if (part !== undefined) addIssue({ message: `${shown(value)} is more than all: write 100% or less` })
    else addIssue({ message: `${shown(value)} is no share: write ${percentMeant(value)}` })
    return NEVER
  }),
)

export const share = v.pipe(
  shareOrNone,
  v.check((part) => part > 0, 'is to be more than nothing: write 5%'),
)

/** How many times what is usual: 1 and more. */
export const times = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, number>(({ dataset: { value }, addIssue, NEVER }) => {
    if (typeof value === 'number' && value >= 1 && value < Infinity) return value
    const written = typeof value === 'string' ? value.trim() : ''
    const meant = percentOf(written) ?? Number(/^(\d+(?:\.\d+)?) ?(?:x|times)?$/i.exec(written)?.[1] ?? 0)
    addIssue({
      message: `${shown(value)} is no number of times, 1 or more: write ${meant >= 1 ? meant : 3}`,
    })
    return NEVER
  }),
)

function percentOf(written: string): number | undefined {
  const percent = /^(\d+(?:\.\d+)?) ?%$/.exec(written)?.[1]
  return percent === undefined ? undefined : Number(percent) / 100
}

/** `5%` of 5, `20%` of 0.2. */
function percentMeant(value: unknown): string {
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN
  if (!(number > 0 && number <= 100)) return '5%'
  return `${number < 1 ? Number((number * 100).toPrecision(12)) : number}%`
}

/** How many of what there is at least one of. */
export const some = v.pipe(
  v.unknown(),
  v.check(
    (value) => Number.isSafeInteger(value) && Number(value) >= 1,
    ({ input }) => `${shown(input)} is no number of keys: write a whole number from 1 on`,
  ),
  v.transform(Number),
)

export const count = v.pipe(
  v.number((issue) => `is to be a whole number, not ${shown(issue.input)}`),
  v.check((value) => Number.isSafeInteger(value) && value >= 0, 'is to be a whole number, 0 or more'),
)

/** The name of a variable of the environment; whatever else stands there may be the secret itself, and is not shown. */
export const variable = v.pipe(
  v.string('is to be the name of an environment variable'),
  v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of an environment variable: letters, digits and _'),
)

/** Minutes from midnight of `08:00`; 24:00 is the end of the day. */
export const timeOfDay = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, number>(({ dataset: { value }, addIssue, NEVER }) => {
    const [, hour, minute] = (typeof value === 'string' && /^(\d{1,2}):(\d\d)$/.exec(value)) || []
    const minutes = Number(hour) * 60 + Number(minute)
    if (minutes <= 1_440 && Number(minute) < 60) return minutes
    addIssue({ message: `${shown(value)} is no time of day: write "08:00"` })
    return NEVER
  }),
)

const dayMs = 86_400_000

/** Unix ms: an instant, or a day, which counts to its end in UTC. */
export const endOfTime = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, number>(({ dataset: { value }, addIssue, NEVER }) => {
    const written = typeof value === 'string' ? value : ''
    const ms = Date.parse(written)
    if (/^\d{4}-\d\d-\d\d$/.test(written) && isDay(written)) return ms + dayMs
    if (/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(written) && !Number.isNaN(ms)) return ms
    addIssue({ message: `${shown(value)} is no day: write 2027-01-31` })
    return NEVER
  }),
)

/** 31 February is read as 3 March. */
function isDay(written: string): boolean {
  const ms = Date.parse(written)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(written)
}

/** A value as a problem names it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `"${value.length > 60 ? `${value.slice(0, 60)}…` : value}"`
  if (Array.isArray(value)) return 'a list'
  if (isMapping(value)) return 'a mapping'
  return value === null || value === undefined ? 'nothing' : JSON.stringify(value)
}
