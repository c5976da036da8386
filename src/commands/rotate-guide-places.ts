import type { Key } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { parseTargets, schemes } from '../targets/index.ts'
import type { Target } from '../targets/target.ts'
import type { Choice } from '../ui/prompts.ts'
import type { PlannedPlace } from '../ui/rotation-plan.ts'
import { paragraph } from '../ui/wrapping.ts'
import { parseRestarts } from '../targets/restart.ts'
import { newFileOf } from './new-files.ts'
import { readJournals } from './incident-reading.ts'
import { lastPlaces } from './last-places.ts'
import { findPlaces, type FoundPlace } from './places.ts'
import type { RotateInputs } from './rotate-flags.ts'
import { targetDeps } from './target-deps.ts'

export interface ChosenPlaces {
  /** Each a `--to`. */
  to: string[]
  createTarget: boolean
  restart: string[]
  places: PlannedPlace[]
}

/** Where the application finds its key: what the line says, or what is chosen of what was found, looked at once. */
export async function choosePlaces(context: Context, inputs: RotateInputs, key: Key): Promise<ChosenPlaces> {
  const { secret: credential, source } = await context.credential()
  const depsFor = (createTarget: boolean) => targetDeps(context, { secrets: [credential], createTarget })
  /** Throws what is wrong with them, as far as that can be seen here: a store is asked once all are chosen. */
  const parse = async (specs: readonly string[]) => {
    for (const target of await parseTargets(specs, depsFor(true))) {
      const found = isFile(target) ? await stateOf(target, key, context.signal) : undefined
      if (found instanceof KeysError) throw found
    }
  }
  const isKept = inputs.self && source.kind !== 'environment'
  const { cwd, env } = context
  const debug = (text: string) => context.out.debug(text)
  const given = inputs.to.filter((spec) => spec !== '')
  const around = { cwd, env, credential, self: inputs.self, debug }
  const found = given.length > 0 ? [] : await offered(context, key, await findPlaces(around))
  for (let isFirst = true; ; isFirst = false) {
    const to =
      isFirst && given.length > 0 ? given : await ask(context, found, key, { parse, mayBeNone: isKept })
    const looked = await look(
      context,
      to,
      key,
      (createTarget) => parseTargets(to, depsFor(createTarget)),
      inputs,
    )
    if (looked === undefined) continue
    const hasWorkloads = to.some((spec) => spec.startsWith('k8s:')) && inputs.restart.length === 0
    const targets = await parseTargets(to, depsFor(true))
    const restart = hasWorkloads ? await askRestart(context, targets, depsFor(true)) : inputs.restart
    return { to, restart, ...looked }
  }
}

/** What was found; before it the places that this machine's last rotation put the key into, from wherever that was run. */
async function offered(context: Context, key: Key, found: readonly FoundPlace[]): Promise<Offered[]> {
  const last = lastPlaces(await readJournals(context, await context.api()), key.id, context)
  if (last === undefined) return found.map((place) => ({ ...place, isKnown: false }))
  const { to, rotation } = last
  const on = (rotation.finishedAt ?? rotation.updatedAt).slice(0, 10)
  const known = to.map((spec) => ({
    ...{ label: spec, reason: `rotation ${rotation.id} put the key there on ${on}`, spec: () => spec },
    isKnown: true,
  }))
  return [
    ...known,
    ...found.filter(({ label }) => !to.includes(label)).map((place) => ({ ...place, isKnown: false })),
  ]
}

/** A place, and whether a receipt says that the key is there. */
type Offered = FoundPlace & { isKnown: boolean }

interface Rules {
  parse: (specs: readonly string[]) => Promise<void>
  /** Nothing need be chosen. */
  mayBeNone: boolean
}

const elsewhere = 'another place'

async function ask(
  { prompt }: Context,
  found: readonly Offered[],
  key: Key,
  { parse, mayBeNone }: Rules,
): Promise<string[]> {
  const known = found.filter(({ isKnown }) => isKnown)
  const held = found.filter(({ holds }) => holds === key.type)
  const likely = known.length > 0 ? known : held.length === 1 ? held : []
  const choices: Choice<FoundPlace | undefined>[] = [
    ...found.map((place) => ({
      name: `${place.label}  (${place.reason})`,
      value: place,
      short: place.label,
      checked: likely.includes(place),
    })),
    { name: elsewhere, value: undefined, checked: found.length === 0 },
  ]
  const chosen = await prompt.checkbox(
    'Where does the application find it?',
    choices,
    '--to',
    async (places) => {
      if (places.length === 0 && !mayBeNone) {
        throw new KeysError('usage', 'choose at least one place', { hint: 'Space chooses' })
      }
      await parse(places.flatMap((place) => (place && place.missing === undefined ? [place.spec('')] : [])))
    },
  )
  const to: string[] = []
  for (const place of chosen) {
    if (place === undefined) to.push(...(await askElsewhere(prompt, to, parse)))
    else if (place.missing === undefined) to.push(place.spec(''))
    else {
      const answer = await prompt.text(place.missing.question, '--to', {
        check: (text) => parse([...to, place.spec(text)]),
        default: place.missing.suggestion,
      })
      to.push(place.spec(answer))
    }
  }
  return to
}

/** Places that were not found, one after the other until there is no further one. */
async function askElsewhere(
  prompt: Context['prompt'],
  before: readonly string[],
  parse: Rules['parse'],
): Promise<string[]> {
  const places: string[] = []
  for (;;) {
    const question =
      places.length === 0 ? 'Which place? (as --to takes it; ? lists them)' : 'A further one? (Enter: no)'
    const answer = await prompt.text(question, '--to', {
      async check(text) {
        if (text === '' && places.length > 0) return
        if (text === '?') throw new KeysError('usage', `a place is ${usages().join(', ')}`)
        await parse([...before, ...places, text])
      },
    })
    if (answer === '') return places
    places.push(answer)
  }
}

const usages = () => Object.values(schemes).map(({ usage }) => usage)

/** Each place as it is now; undefined where others are to be chosen. Writes nothing. */
async function look(
  context: Context,
  to: readonly string[],
  key: Key,
  parse: (createTarget: boolean) => Promise<Target[]>,
  { createTarget }: RotateInputs,
): Promise<Pick<ChosenPlaces, 'places' | 'createTarget'> | undefined> {
  const { out, prompt, signal } = context
  if (to.length > 0) out.say(`looking at ${to.join(', ')}`)
  const [asTheyAre, asMade] = [await parse(createTarget), await parse(true)]
  const looks = await Promise.all(
    asTheyAre.map(async (target, index) => ({
      found: await stateOf(target, key, signal),
      made: asMade[index],
      name: target.name,
    })),
  )
  const places: ChosenPlaces['places'] = []
  const absent: string[] = []
  let isInStore = false
  for (const { name, found, made } of looks) {
    if (!(found instanceof KeysError)) {
      places.push(found)
      // a file that is mistyped is made as readily as any other, and no application reads it
      if (found.state === 'made') absent.push(name)
      continue
    }
    // what is refused only as long as nothing may be made is not there
    isInStore = true
    const asNew = createTarget || made === undefined ? found : await stateOf(made, key, signal)
    if (!(asNew instanceof KeysError) && asNew.state !== 'holds') {
      places.push({ ...asNew, state: 'made' })
      absent.push(name)
      continue
    }
    const words = found.hint === undefined ? found.message : `${found.message}; ${found.hint}`
    out.show(...paragraph(words, out.columns, 2))
  }
  if (places.length < to.length) return undefined
  if (absent.length === 0 || createTarget) return { places, createTarget }
  const way = await prompt.select(
    `Not there yet: ${absent.join(', ')}. What now?`,
    [
      { name: 'it will be made', value: true },
      { name: 'choose again', value: false },
    ],
    '--create-target',
  )
  return way ? { places, createTarget: isInStore } : undefined
}

const isFile = ({ name }: Target) => /^(env|file):/.test(name)

/** How a place is found, or what is wrong with it. */
async function stateOf(target: Target, key: Key, signal: AbortSignal): Promise<PlannedPlace | KeysError> {
  const { name, readback, timeoutMs: boundMs } = target
  const found = (state: PlannedPlace['state']) => ({ name, state, readback, boundMs })
  try {
    await target.check(signal)
    if (readback === 'none') return found('unknown')
    const held = await target.read(signal)
    if (held === undefined) return found((await newFileOf(target)) === undefined ? 'empty' : 'made')
    if (held.value.reveal() === '') return found('empty')
    const { type } = held.value
    if (type === key.type) return found('holds')
    const what = type === undefined ? 'something else than a key' : `a ${type} key`
    return new KeysError('target-refused', `${name} holds ${what}, and ${key.id} is a ${key.type} key`, {
      hint: 'choose the place of this key',
    })
  } catch (error) {
    if (error instanceof KeysError && error.code !== 'interrupted') return error
    throw error
  }
}

async function askRestart(
  { prompt }: Context,
  targets: readonly Target[],
  deps: ReturnType<typeof targetDeps>,
): Promise<string[]> {
  const answer = await prompt.text(
    'What is started anew with it? (deployment/<name>, Enter: nothing)',
    '--restart',
    {
      async check(text) {
        if (text !== '') await parseRestarts([text], targets, deps)
      },
    },
  )
  return answer === '' ? [] : [answer]
}
