/** gRPC's status codes, with the HTTP status that each is over REST. */
export const codes = {
  INVALID_ARGUMENT: { code: 3, http: 400 },
  DEADLINE_EXCEEDED: { code: 4, http: 504 },
  NOT_FOUND: { code: 5, http: 404 },
  ALREADY_EXISTS: { code: 6, http: 409 },
  PERMISSION_DENIED: { code: 7, http: 403 },
  RESOURCE_EXHAUSTED: { code: 8, http: 429 },
  FAILED_PRECONDITION: { code: 9, http: 400 },
  ABORTED: { code: 10, http: 409 },
  UNIMPLEMENTED: { code: 12, http: 501 },
  INTERNAL: { code: 13, http: 500 },
  UNAVAILABLE: { code: 14, http: 503 },
  UNAUTHENTICATED: { code: 16, http: 401 },
} as const
export type CodeName = keyof typeof codes

/** `google.rpc.ErrorInfo`. */
export interface ErrorInfo {
  reason: string
  domain: string
  metadata?: Record<string, string>
}

/** How a call ends that has no answer. */
export class Status extends Error {
  readonly code: CodeName
  readonly info: ErrorInfo | undefined

  constructor(code: CodeName, message: string, info?: ErrorInfo) {
    super(message)
    this.code = code
    this.info = info
  }
}
