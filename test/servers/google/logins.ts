// Who is calling: a JWT that a service account signed itself, or an access token of the endpoints here, which stand for
// Google's security token service and for impersonation.
import { createVerify, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Status } from './status.ts'

export interface Logins {
  /** The content of a key file, for GOOGLE_APPLICATION_CREDENTIALS. */
  keyFile(email: string, more?: object): object
  /** The content of a configuration for workload identity federation; the workload's own token lies in `tokenFile`. */
  federationFile(tokenFile: string, impersonated: string): object
  /** What the workload must have in its token file. */
  readonly workloadToken: string
  /** A token that is good at once. */
  token(member: string): string
  /** From now on no login is good that was before; again with false. */
  expire(isExpired: boolean): void
  /** The member that an Authorization header stands for. Throws UNAUTHENTICATED. */
  memberOf(authorization: string | undefined): string
  /** What came to the token endpoints. */
  readonly requests: string[]
  close(): Promise<void>
}

export async function createLogins(): Promise<Logins> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const tokens = new Map<string, string>()
  const requests: string[] = []
  const workloadToken = randomBytes(20).toString('hex')
  let isExpired = false

  const token = (member: string) => {
    const made = `ya29.${randomBytes(20).toString('hex')}`
    tokens.set(made, member)
    return made
  }

  const server = createServer((request, response) => {
    void (async () => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      requests.push(`${request.method} ${request.url}`)
      const answer = (status: number, content: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
      if (request.url === '/sts/v1/token') {
        const isGood = new URLSearchParams(body).get('subject_token') === workloadToken && !isExpired
        if (!isGood)
          return answer(400, { error: 'invalid_grant', error_description: 'The token has expired.' })
        const issued_token_type = 'urn:ietf:params:oauth:token-type:access_token'
        const access_token = token('principal://workload')
        return answer(200, { access_token, issued_token_type, token_type: 'Bearer', expires_in: 3600 })
      }
      const [, email] =
        /^\/v1\/projects\/-\/serviceAccounts\/([^:]+):generateAccessToken$/.exec(request.url ?? '') ?? []
      const caller = tokens.get(request.headers.authorization?.replace('Bearer ', '') ?? '')
      if (email === undefined || caller !== 'principal://workload')
        return answer(403, { error: { code: 403 } })
      const expireTime = new Date(Date.now() + 3_600_000).toISOString()
      return answer(200, { accessToken: token(`serviceAccount:${email}`), expireTime })
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  /** Of a self-signed JWT. */
  function signerOf(jwt: string): string | undefined {
    const [head, payload, signature] = jwt.split('.')
    if (head === undefined || payload === undefined || signature === undefined) return undefined
    const isSigned = createVerify('RSA-SHA256')
      .update(`${head}.${payload}`)
      .verify(publicKey, Buffer.from(signature, 'base64url'))
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const isFor =
      claims['scope'] === 'https://www.googleapis.com/auth/cloud-platform' ||
      String(claims['aud']).startsWith('https://secretmanager.googleapis.com/')
    const isNow = Number(claims['exp']) > Date.now() / 1_000
    return isSigned && isFor && isNow ? `serviceAccount:${String(claims['iss'])}` : undefined
  }

  return {
    requests,
    workloadToken,
    token,
    expire: (expired) => void (isExpired = expired),
    keyFile: (email, more) => ({
      type: 'service_account',
      project_id: 'pictify-test',
      private_key_id: 'test',
      private_key: privateKey,
      client_email: email,
      client_id: '1',
      token_uri: `${url}/token`,
      universe_domain: 'googleapis.com',
      ...more,
    }),
    federationFile: (tokenFile, impersonated) => ({
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${url}/sts/v1/token`,
      service_account_impersonation_url: `${url}/v1/projects/-/serviceAccounts/${impersonated}:generateAccessToken`,
      credential_source: { file: tokenFile },
      universe_domain: 'googleapis.com',
    }),
    memberOf(authorization) {
      const given = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? ''
      const member = tokens.get(given) ?? signerOf(given)
      if (member !== undefined && !isExpired) return member
      throw new Status(
        'UNAUTHENTICATED',
        'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
        { reason: 'ACCESS_TOKEN_EXPIRED', domain: 'googleapis.com' },
      )
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
