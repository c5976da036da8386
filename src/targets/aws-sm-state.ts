// What the state of a secret keeps us from, and what of our rights it does not show.
import type { KeysError } from '../errors.ts'
import { othersPending, type SeenSecret } from './aws-sm-version.ts'
import { refusal } from './refusal.ts'

/** What Secrets Manager takes as a version's content. */
const mostBytes = 65_536

/** Why it is not ours to write. `id` is the secret's name or ARN. */
export function unwritable(seen: SeenSecret, name: string, id: string): KeysError[] {
  const { OwningService: owner, PrimaryRegion: primary } = seen.secret ?? {}
  const problems: KeysError[] = []
  if (owner) {
    problems.push(
      refusal(
        `${name}: the secret belongs to ${owner}, which alone may change it`,
        'name a secret of your own',
      ),
    )
  }
  if (primary && primary !== seen.region) {
    problems.push(
      refusal(
        `${name}: it is a replica, and replicas cannot be written`,
        `write it where it comes from: set AWS_REGION=${primary}, or name its ARN there`,
      ),
    )
  }
  const pending = othersPending(seen)
  if (pending !== undefined) problems.push(rotating(name, id, pending))
  return problems
}

/** Somebody else's rotation has a version under way. */
export function rotating(name: string, id: string, pending: string): KeysError {
  const undo = `aws secretsmanager update-secret-version-stage --secret-id ${id} --version-stage AWSPENDING --remove-from-version-id ${pending}`
  return refusal(
    `${name}: another rotation of the secret is under way (its version ${pending} is labelled AWSPENDING)`,
    `let it end, then run the same command again; if none is running any more, take the label away: ${undo}`,
  )
}

/** What could not be proved of the right to write it, and what will change it again: a sentence each. */
export function unproved({ secret, current }: SeenSecret, id: string): string[] {
  const sentences: string[] = []
  if (secret?.RotationEnabled) {
    sentences.push(
      `AWS rotates the secret by itself and will replace the key: turn that off by aws secretsmanager cancel-rotate-secret --secret-id ${id}`,
    )
  }
  if (secret?.KmsKeyId) {
    sentences.push(
      `that its KMS key may be used to write (kms:GenerateDataKey with ${secret.KmsKeyId}) cannot be proved beforehand`,
    )
  }
  if (!current) {
    sentences.push(
      'the secret has no version yet: that one may be written (secretsmanager:PutSecretValue) cannot be proved beforehand, and an undo leaves {} in it, for AWS takes no last version away',
    )
  }
  return sentences
}

export function refuseTooLarge(name: string, content: string): void {
  const bytes = Buffer.byteLength(content)
  if (bytes <= mostBytes) return
  throw refusal(
    `${name}: the secret would be ${bytes} bytes as a whole, and Secrets Manager takes ${mostBytes}`,
    'keep the key in a secret of its own',
  )
}
