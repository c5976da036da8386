import type { Context } from '../context.ts'
import type { CredentialSource } from '../credentials/credential.ts'
import { KeysError } from '../errors.ts'
import { createCredentialTarget, credentialPrefix } from '../targets/credential.ts'
import { parseTargets } from '../targets/index.ts'
import type { Target, TargetDeps } from '../targets/target.ts'

/** The targets of a rotation; with `--self` the place the credential comes from is one of them. */
export async function rotationTargets(
  context: Context,
  specs: readonly string[],
  deps: TargetDeps,
  { self, source }: { self: boolean; source: CredentialSource },
): Promise<Target[]> {
  const named = specs.filter((spec) => !spec.startsWith(credentialPrefix))
  const targets = await parseTargets(named, deps)
  if (!self) return targets
  if (source.kind !== 'environment') {
    const store = await context.credentialStore(await context.config(), source.kind)
    targets.push(createCredentialTarget(`${credentialPrefix}${source.profile}`, store))
  }
  if (targets.length > 0) return targets
  throw new KeysError('usage', 'the admin key comes from the environment, which cannot be written to', {
    hint: 'name the place it is kept in with --to, so that the next run finds its successor there',
  })
}
