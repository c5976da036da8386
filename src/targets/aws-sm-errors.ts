// Rules of this file:
// - what AWS and its SDK answer is told in our own words, with what to do about it; what they said is masked.
import { connectionFailure } from '../connection-failure.ts'
import { KeysError } from '../errors.ts'
import { redact, type Secret } from '../secret.ts'
import { refusal } from './refusal.ts'

export interface Failure {
  /** What AWS or the SDK calls it. */
  code: string
  message: string
  /** Undefined: there was no answer. */
  status: number | undefined
  thrown: unknown
}

export function failureOf(thrown: unknown): Failure {
  const { name, message, $metadata, $response } = thrown as Error & {
    $metadata?: { httpStatusCode?: number }
    $response?: { statusCode?: number }
  }
  return { code: name, message, status: $metadata?.httpStatusCode ?? $response?.statusCode, thrown }
}

const signIn =
  'sign in (aws sso login), or name a profile in AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'

/** What went wrong and what to do about it, in our own words where AWS has a name for it. */
export function explain(
  failure: Failure,
  {
    name,
    kind,
    action,
    endpoint,
    secrets,
  }: {
    name: string
    kind: 'look' | 'change'
    action: string
    /** Where the call went to. */
    endpoint: string
    secrets: Iterable<Secret>
  },
): KeysError {
  const { code, status } = failure
  const text = redact(failure.message, secrets)
  const refused = (what: string, hint: string) => refusal(`${name}: ${what}`, hint)

  if (text === 'Region is missing') {
    return refused(
      'no AWS region is known',
      'set AWS_REGION, or region in the profile, or name the secret by its ARN (AWS_DEFAULT_REGION is for the AWS CLI alone)',
    )
  }
  if (/^(CredentialsProviderError|TokenProviderError)$/.test(code)) {
    return /expired|sso login/i.test(text)
      ? refused(
          `the AWS login has expired (${text})`,
          'renew it: aws sso login, then run the same command again',
        )
      : refused(`there are no AWS credentials (${text})`, signIn)
  }
  if (/^(ExpiredToken(Exception)?|RequestExpired)$/.test(code)) {
    return refused(
      'the AWS login has expired',
      'renew it: aws sso login, or new credentials of the session, then run the same command again',
    )
  }
  if (/^(UnrecognizedClientException|InvalidClientTokenId|InvalidSignatureException)$/.test(code)) {
    return refused(
      `AWS does not accept these credentials (${text})`,
      `${signIn}; if they are right, see that the clock of this machine is`,
    )
  }
  if (/^(De|En)cryptionFailure$/.test(code) || /\bKMS\b/.test(text)) {
    return refused(
      `${action}: the KMS key of the secret could not be used (${text})`,
      'see that the key is enabled, and allow kms:Decrypt and kms:GenerateDataKey with it',
    )
  }
  if (/^AccessDenied/.test(code) || status === 403) {
    const isNamed = / on resource: (?!arn:)/.test(text)
    return refused(
      `not allowed to do ${action} (${text})`,
      `allow secretsmanager:${action} on it${isNamed ? '; or there is no such secret in this region: check the name and the region' : ''}`,
    )
  }
  if (code === 'LimitExceededException') {
    return refused(
      `${action}: a limit of Secrets Manager is reached (${text})`,
      'a secret keeps every version of the last 24 hours: try again later',
    )
  }
  if (/^Throttl|^TooManyRequests|^RequestLimit/.test(code) || status === 429) {
    return new KeysError('target-failed', `${name}: AWS takes no more calls for now`, {
      hint: 'run the same command again in a while',
    })
  }
  if (status === undefined) {
    const lost = connectionFailure(failure.thrown, endpoint)
    return new KeysError(unclear(kind === 'change' && lost.maybeDone), `${name}: ${lost.message}`, {
      hint: 'see whether the network and the endpoint are in order, then run the same command again',
    })
  }
  if (status >= 500) {
    return new KeysError(unclear(kind === 'change'), `${name}: ${action}: AWS is out of order (${status})`, {
      hint: 'run the same command again in a while',
    })
  }
  return refused(
    `${action}: AWS refuses it (${text})`,
    'look at the secret in AWS, then run the same command again',
  )
}

const unclear = (maybeDone: boolean) => (maybeDone ? 'target-unclear' : 'target-failed')
