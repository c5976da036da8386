// A secret of AWS as somebody else sees and changes it, and AWS as it refuses.
import { randomUUID } from 'node:crypto'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import type { Fault, Place } from '../targets/contract.ts'
import type { Answer } from './fault-proxy.ts'

export interface AwsFacts {
  url: string
  /** Another, in which only IAM policies allow anything once `guard` is called. */
  guarded: string
}

/** What signs a process in to `url`, and lets it find nothing of this machine's own. */
export function awsEnvironment(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'loopback',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

/** Somebody else's own client. */
export function createClient(url: string, region = 'us-east-1'): SecretsManager {
  const credentials = { accessKeyId: 'AKIAI44QH8DHBEXAMPLE', secretAccessKey: 'loopback' }
  return new SecretsManager({ endpoint: url, region, credentials })
}

/** What somebody else writes becomes current. */
export async function writeAs(client: SecretsManager, id: string, content: string): Promise<void> {
  const current = labelled(await labelsOf(client, id), 'AWSCURRENT')
  if (current === undefined)
    return void (await client.putSecretValue({ SecretId: id, SecretString: content }))
  // In one step, moto takes AWSCURRENT from no version that got it by UpdateSecretVersionStage.
  const token = randomUUID()
  const secret = { SecretId: id, SecretString: content, ClientRequestToken: token, VersionStages: ['THEIRS'] }
  await client.putSecretValue(secret)
  await client.updateSecretVersionStage({
    SecretId: id,
    VersionStage: 'AWSCURRENT',
    RemoveFromVersionId: current,
    MoveToVersionId: token,
  })
  await client.updateSecretVersionStage({ SecretId: id, VersionStage: 'THEIRS', RemoveFromVersionId: token })
}

/** The labels of each version that has some; undefined: there is no such secret. */
export async function labelsOf(
  client: SecretsManager,
  id: string,
): Promise<Record<string, string[]> | undefined> {
  const secret = await orAbsent(client.describeSecret({ SecretId: id }))
  const labels = Object.entries(secret?.VersionIdsToStages ?? {}).filter(([, each]) => each.length > 0)
  return secret && Object.fromEntries(labels.map(([version, each]) => [version, each.sort()]))
}

export function labelled(labels: Record<string, string[]> | undefined, label: string): string | undefined {
  return Object.keys(labels ?? {}).find((id) => labels?.[id]?.includes(label))
}

/** How many versions there are, with and without labels. */
export async function countVersions(client: SecretsManager, id: string): Promise<number> {
  const { Versions = [] } = await client.listSecretVersionIds({ SecretId: id, IncludeDeprecated: true })
  return Versions.length
}

/** What applications read. */
export async function contentOf(client: SecretsManager, id: string): Promise<string | undefined> {
  // moto answers the first version ever unless the label is named
  const found = await orAbsent(client.getSecretValue({ SecretId: id, VersionStage: 'AWSCURRENT' }))
  return found?.SecretString
}

/** A secret that keeps a value, or a document that keeps one among others in the field KEY. */
export function createPlace(client: SecretsManager, field: 'KEY' | undefined): Place & { id: string } {
  const id = `app/${randomUUID()}`
  const document = (value: string | undefined) => {
    const own = value === undefined ? '' : ` "KEY" :\t${JSON.stringify(value)},`
    return `{\n  "number": 1.0e2,${own}\n  "big": 12345678901234567890, "deep":{"KEY":"\\u006ft\\/her"}\n}\n`
  }
  const valueIn = (content: string | undefined) =>
    field === undefined || content === undefined ? content : (JSON.parse(content) as { KEY?: string }).KEY
  return {
    id,
    spec: `aws-sm:${id}${field === undefined ? '' : `#${field}`}`,
    async put(value) {
      const content = field === undefined ? value : document(value)
      const isThere = (await labelsOf(client, id)) !== undefined
      if (isThere && content !== undefined) return writeAs(client, id, content)
      const labels = { Description: 'of the app', Tags: [{ Key: 'team', Value: 'ours' }] }
      await client.createSecret({ Name: id, SecretString: content, ...labels })
    },
    value: async () => valueIn(await contentOf(client, id)),
    async others() {
      const secret = await orAbsent(client.describeSecret({ SecretId: id }))
      if (!secret) return undefined
      const { ARN, Description, Tags, KmsKeyId, RotationEnabled } = secret
      const content = await contentOf(client, id)
      const value = valueIn(content)
      const rest =
        field && value !== undefined ? content?.replace(JSON.stringify(value), () => '…') : undefined
      const text = field && value === undefined ? content : rest
      return { ARN, Description, Tags, KmsKeyId, RotationEnabled, text }
    },
    version: () => labelsOf(client, id),
  }
}

const refusals: Partial<Record<Fault, { status: number; type: string; message: string }>> = {
  forbidden: {
    status: 400,
    type: 'AccessDeniedException',
    message:
      'User: arn:aws:iam::123456789012:user/ci is not authorized to perform: secretsmanager:DescribeSecret on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:app-AbCdEf because no identity-based policy allows the secretsmanager:DescribeSecret action',
  },
  expired: {
    status: 400,
    type: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
  },
  throttled: { status: 400, type: 'ThrottlingException', message: 'Rate exceeded' },
  'throttled once': { status: 400, type: 'ThrottlingException', message: 'Rate exceeded' },
}

/** What AWS answers with when it fails so. */
export function refuse(fault: Fault): Answer | undefined {
  const refusal = refusals[fault]
  return refusal && awsError(refusal.type, refusal.message, refusal.status)
}

/** An error as AWS's JSON protocol writes it. */
export function awsError(type: string, message: string, status = 400): Answer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': type },
    body: JSON.stringify({ __type: type, Message: message }),
  }
}

async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined
    throw error
  }
}
