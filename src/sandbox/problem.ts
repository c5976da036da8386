import type { components } from '../api/openapi.ts'

type Body = components['schemas']['Problem']
export type FieldError = NonNullable<Body['errors']>[number]

const problems = {
  'validation-error': [400, 'Validation Error'],
  'missing-auth': [401, 'Missing Authorization'],
  'invalid-api-key': [401, 'Invalid API Key'],
  'insufficient-permissions': [403, 'Insufficient Permissions'],
  'key-limit-reached': [403, 'Key Limit Reached'],
  'not-found': [404, 'Not Found'],
  'api-key-not-found': [404, 'API Key Not Found'],
  'method-not-allowed': [405, 'Method Not Allowed'],
  'api-key-active': [409, 'API Key Active'],
  'payload-too-large': [413, 'Payload Too Large'],
  'unsupported-media-type': [415, 'Unsupported Media Type'],
  'idempotency-key-reused': [422, 'Idempotency Key Reused'],
  'rate-limit': [429, 'Rate Limit Exceeded'],
  'quota-exceeded': [429, 'Quota Exceeded'],
  'internal-error': [500, 'Internal Server Error'],
  'bad-gateway': [502, 'Bad Gateway'],
  'service-unavailable': [503, 'Service Unavailable'],
  'gateway-timeout': [504, 'Gateway Timeout'],
} as const satisfies Record<string, readonly [number, string]>
export type ProblemSlug = keyof typeof problems

interface ProblemExtras {
  errors?: FieldError[]
  code?: string
  /** Seconds; also becomes the header. */
  retryAfter?: number
  headers?: Record<string, string>
}

/** A refusal, as the sandbox's own code throws it. `detail` is for people. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly slug: ProblemSlug
  readonly status: (typeof problems)[ProblemSlug][0]
  readonly extras: ProblemExtras

  constructor(slug: ProblemSlug, detail: string, extras: ProblemExtras = {}) {
    super(detail)
    this.slug = slug
    this.status = problems[slug][0]
    this.extras = extras
  }

  get headers(): Record<string, string> {
    const { retryAfter, headers } = this.extras
    return { ...headers, ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }) }
  }

  /** The RFC 9457 document; `instance` is the path that was asked for. */
  document(instance: string): Body {
    const { errors, code, retryAfter } = this.extras
    return {
      type: `https://docs.pictify.io/errors/${this.slug}`,
      title: problems[this.slug][1],
      status: this.status,
      detail: this.message,
      instance,
      ...(code !== undefined && { code }),
      ...(retryAfter !== undefined && { retryAfter }),
      ...(errors && { errors }),
    }
  }
}
