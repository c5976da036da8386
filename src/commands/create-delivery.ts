// Rules of this file:
// - every target is looked at before the key is minted, and all that is wrong is said at once;
// - a delivery that fails is undone: the targets hold what they held, and the new key is revoked and deleted.
import type { Client, Minted } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { hasCode, KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Held, Target } from '../targets/target.ts'
import { warnOfNewFiles } from './new-files.ts'

export interface Place {
  target: Target
  held: Held | undefined
}

/** The targets of `--to`, checked and read. Throws `invalid-target`, or what the targets say. */
export async function openTargets(
  context: Context,
  specs: readonly string[],
  { yes, createTarget }: { yes: boolean; createTarget: boolean },
): Promise<Place[]> {
  if (specs.length === 0) return []
  const [{ parseTargets }, { targetDeps }, { secret: credential }] = await Promise.all([
    import('../targets/index.ts'),
    import('./target-deps.ts'),
    context.credential(),
  ])
  const targets = await parseTargets(specs, targetDeps(context, { secrets: [credential], createTarget }))
  const places = await Promise.all(targets.map((target) => open(target, context.signal)))
  const failures = places.flatMap((place) => (place instanceof KeysError ? [place] : []))
  if (failures.length > 0) throw together(failures)
  const opened = places.flatMap((place) => (place instanceof KeysError ? [] : [place]))
  await warnOfNewFiles(context.out, targets)
  const full = opened.filter(({ held }) => held !== undefined)
  if (full.length > 0 && !yes) {
    const names = full.map(({ target }) => target.name).join(', ')
    await context.prompt.confirm(`A key is in ${names} already. Replace it?`, '--yes')
  }
  return opened
}

async function open(target: Target, signal: AbortSignal): Promise<Place | KeysError> {
  try {
    await target.check(signal)
    return { target, held: target.readback === 'value' ? await target.read(signal) : undefined }
  } catch (error) {
    if (error instanceof KeysError) return error
    throw error
  }
}

function together(failures: readonly KeysError[]): KeysError {
  const [first] = failures
  if (first && failures.length === 1) return first
  return new KeysError('target-refused', failures.map(({ message }) => message).join('\n'), {
    hint: [...new Set(failures.flatMap(({ hint }) => hint ?? []))].join('\n'),
  })
}

/** Puts a minted secret into every place, or undoes it all and throws. */
export async function deliver(
  context: Context,
  api: Client,
  minted: Minted,
  places: readonly Place[],
): Promise<void> {
  const touched: Place[] = []
  // what cannot be read back cannot be undone either, so it goes last
  const inOrder = [...places].sort(
    (a, b) => Number(a.target.readback === 'none') - Number(b.target.readback === 'none'),
  )
  try {
    for (const place of inOrder) {
      await place.target.write(minted.secret, place.held).catch((error: unknown) => {
        // It says itself that it put nothing there, and nobody can look.
        if (place.target.readback === 'value' || hasCode(error, 'target-unclear')) touched.push(place)
        throw error
      })
      touched.push(place)
      if (place.target.readback === 'value') await compare(place.target, minted.secret)
      context.out.event({ event: 'delivered', target: place.target.name })
    }
  } catch (error) {
    await undo(api, minted, touched, error)
    throw error
  }
}

async function compare(target: Target, secret: Secret): Promise<void> {
  const held = await target.read()
  if (held?.value.equals(secret)) return
  throw new KeysError('target-failed', `${target.name} does not hold what was written to it`, {
    hint: 'see what else writes there, then try again',
  })
}

/** Throws when it could not put all back; what it leaves then is said by name. */
async function undo(
  api: Client,
  { apiKey, secret }: Minted,
  touched: readonly Place[],
  failure: unknown,
): Promise<void> {
  const left: string[] = []
  for (const { target, held } of touched) {
    try {
      await target.restore(held, secret)
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      left.push(error.message)
    }
  }
  try {
    if (apiKey === undefined) left.push('the id of the new key is not known')
    else {
      await api.keys.revoke(apiKey.id)
      await api.keys.delete(apiKey.id)
    }
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    if (!hasCode(error, 'api-key-not-found'))
      left.push(`the new key ${apiKey?.id ?? ''} is still there: ${error.message}`)
  }
  if (left.length === 0) return
  const reason = failure instanceof Error ? failure.message : String(failure)
  throw new KeysError('target-failed', `${reason}\nand it could not all be undone: ${left.join('; ')}`, {
    hint: 'see what the places named hold, and whether pictify-keys list shows the new key: revoke and delete it',
    cause: failure,
  })
}
