import type { Context } from '../context.ts'
import type { CredentialSource } from '../credentials/credential.ts'
import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { createCredentialTarget } from '../targets/credential.ts'
import { parseTarget } from '../targets/index.ts'
import type { Target } from '../targets/target.ts'

/** How the stored credential is named among a rotation's targets. */
const credentialPrefix = 'credential:'

/** The targets of a rotation; with `--self` the place the credential comes from is one of them. */
export async function rotationTargets(
  context: Context,
  specs: readonly string[],
  { self, source, secrets }: { self: boolean; source: CredentialSource; secrets: readonly Secret[] },
): Promise<Target[]> {
  const named = specs.filter((spec) => !spec.startsWith(credentialPrefix))
  const targets = named.map((spec) => parseTarget(spec, targetDeps(context, secrets)))
  refuseTwice(targets)
  if (!self) return targets
  if (source.kind === 'file') {
    const { openCredentialStore } = await import('../credentials/file.ts')
    const store = openCredentialStore(await context.config())
    targets.push(createCredentialTarget(`${credentialPrefix}${source.profile}`, store))
  }
  if (targets.length > 0) return targets
  throw new KeysError('usage', 'the admin key comes from the environment, which cannot be written to', {
    hint: 'name the place it is kept in with --to, so that the next run finds its successor there',
  })
}

export function targetDeps(context: Context, secrets: readonly Secret[]) {
  const { cwd, env, out, prompt } = context
  return {
    cwd,
    env,
    debug: (line: string) => out.debug(line),
    secrets: () => [...secrets],
    showSecret: out.interactive
      ? async (label: string, secret: Secret, action: 'write' | 'restore') => {
          const what = action === 'write' ? 'the new key' : 'the old key again'
          out.say(`put ${what} into ${label}:\n\n  ${secret.reveal()}\n`)
          await prompt.confirm(`Is it in its place?`, '--to')
        }
      : undefined,
  }
}

function refuseTwice(targets: readonly Target[]): void {
  const names = targets.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice === undefined) return
  throw new KeysError('usage', `${twice} is named twice`, { hint: 'name each target once' })
}
