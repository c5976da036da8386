// Rules of this file:
// - who is signed in is sent to the one address that was named, in a header, and is in no message;
// - a login of our own (AppRole, Kubernetes) is made anew when it is over; one that was given is never renewed, for it may
//   be meant to end.
import { hasCode, KeysError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { refusal } from './refusal.ts'
import { createStoreRequests, type StoreAnswer, type StoreRequests } from './store-request.ts'
import type { TargetDeps } from './target.ts'
import {
  errorsOf,
  forbidden,
  inVaultsWords,
  refusedOnTheWay,
  refuseStatus,
  said,
  throttledMs,
} from './vault-answer.ts'
import {
  findVaultLogin,
  vaultProgram,
  vaultProxies,
  vaultTls,
  type VaultLogin,
  type VaultPlace,
} from './vault-settings.ts'

export interface VaultRequest {
  method: 'GET' | 'POST' | 'DELETE'
  /** As a policy names it: `secret/data/app`. */
  path: string
  query?: string
  body?: unknown
  json?: string
  repeatable: boolean
  /** What a policy calls it, and what it would have to grant. */
  needs: string
  /** A login that may not do this is told of by the answer 403, and no error. */
  mayBeForbidden?: boolean
}

export interface VaultSession {
  /** An answer of 2xx, 400 or 404. Throws `target-refused`, `target-failed` and `target-unclear` for all else. */
  send(request: VaultRequest, signal: AbortSignal): Promise<StoreAnswer>
  /** How who is signed in came to be that. */
  login(): Promise<SignedIn>
}

/** Somebody who is signed in, or nobody where there is no secret. */
export interface SignedIn {
  readonly secret: Secret | undefined
  readonly by: VaultLogin | undefined
  /** Unix ms; undefined where it is not known or never. */
  readonly endsAt: number | undefined
}

type SignInLogin = Exclude<VaultLogin, { kind: 'given' }>

/** What several targets of one run share: a secret id may be good for one login only. */
const logins = new WeakMap<TargetDeps['env'], Map<string, Promise<SignedIn>>>()

/** A session of one target with its server; signs in at the first request. */
export function createVaultSession(name: string, place: VaultPlace, deps: TargetDeps): VaultSession {
  const { clock, env } = deps
  const { address, namespace } = place
  const cli = vaultProgram(env)
  const shared = logins.get(env) ?? new Map<string, Promise<SignedIn>>()
  logins.set(env, shared)
  const key = `${address} ${namespace}`
  let requests: Promise<StoreRequests> | undefined
  /** How far the node that answers must be: what one node has written, the next may not have yet. */
  let index: string | undefined

  async function connect(): Promise<StoreRequests> {
    const tls = { serverTls: await vaultTls(name, env) }
    const own = { ...deps, env: vaultProxies(env) }
    return createStoreRequests({ name, baseUrl: `${address}/v1`, deps: own, tls, throttledMs })
  }

  async function ask(
    secret: Secret | undefined,
    request: Omit<VaultRequest, 'needs'>,
    signal: AbortSignal,
  ): Promise<StoreAnswer> {
    const { method, path, query = '', body, json, repeatable } = request
    const headers = {
      'x-vault-request': 'true',
      ...(namespace !== '' && { 'x-vault-namespace': namespace }),
      ...(secret && { 'x-vault-token': secret.reveal() }),
      ...(index !== undefined && { 'x-vault-index': index }),
    }
    const encoded = `/${path.split('/').map(encodeURIComponent).join('/')}${query}`
    requests ??= connect()
    try {
      const sent = { method, path: encoded, headers, body, repeatable, ...(json !== undefined && { json }) }
      const answer = await (await requests)(sent, signal)
      index = answer.headers.get('x-vault-index') ?? index
      return answer
    } catch (error) {
      if (!(error instanceof KeysError) || hasCode(error, 'target-refused')) throw error
      throw new KeysError(error.code, error.message, { hint: inVaultsWords(error.hint), cause: error.cause })
    }
  }

  /** Who is signed in; signs in where nobody is, or the login is about to end. */
  async function login(): Promise<SignedIn> {
    for (;;) {
      let made = shared.get(key)
      if (!made) {
        made = signIn()
        shared.set(key, made)
        made.catch(() => shared.delete(key))
      }
      const known = await made
      if (known.endsAt === undefined || known.endsAt > clock.now()) return known
      if (shared.get(key) === made) shared.delete(key)
    }
  }

  /** The next request signs in anew; unless another target's has done so already. */
  async function forget(signedIn: SignedIn): Promise<void> {
    const made = shared.get(key)
    const isSame = (await made?.catch(() => undefined)) === signedIn
    if (isSame && shared.get(key) === made) shared.delete(key)
  }

  async function signIn(): Promise<SignedIn> {
    const by = await findVaultLogin(name, deps)
    if (by === undefined) return { secret: undefined, by, endsAt: undefined }
    if (by.kind === 'given') return { secret: by.secret, by, endsAt: undefined }
    const { path, body } = by
    // not by the signal of the one call that came first: the others wait for it as well
    const request = { method: 'POST', path, body, repeatable: false } as const
    const answer = await ask(undefined, request, new AbortController().signal)
    if (answer.status === 400 || answer.status === 403) throw noLogin(by, answer)
    refuseStatus(answer, request, { name, address, cli })
    const { auth } = JSON.parse(answer.text) as { auth?: { client_token?: string; lease_duration?: number } }
    if (auth?.client_token === undefined) throw noLogin(by, answer)
    const lastsMs = (auth.lease_duration ?? 0) * 1_000
    return {
      secret: new Secret(auth.client_token),
      by,
      // a little early, so that it does not end on the way
      endsAt: lastsMs > 0 ? clock.now() + lastsMs * 0.9 : undefined,
    }
  }

  /** Whether a login is no good any more, which a 403 alone does not tell from a policy that lacks something. */
  async function isOver({ secret }: SignedIn, signal: AbortSignal): Promise<boolean> {
    const request = { method: 'GET', path: 'auth/token/lookup-self', repeatable: true } as const
    const answer = await ask(secret, request, signal)
    // where a policy forbids even this, the refusal comes as one of a list of errors; an unknown login's does not
    return answer.status === 403 && !/^1 error occurred/.test(errorsOf(answer))
  }

  function noLogin(by: SignInLogin, answer: StoreAnswer): KeysError {
    const what = by.kind === 'approle' ? 'AppRole' : 'Kubernetes'
    const hint =
      by.kind === 'approle'
        ? `make a new secret id (${cli} write -f auth/approle/role/<role>/secret-id) and see that the role is the right one`
        : `see that the role ${by.body['role'] ?? ''} is bound to this service account (${cli} read auth/kubernetes/role/<role>)`
    const proofs = ['secret_id', 'jwt'].flatMap((each) => by.body[each] ?? []).map((each) => new Secret(each))
    return refusal(`${name}: the ${what} login of ${by.from} is refused (${said(answer, proofs)})`, hint)
  }

  function overError({ by }: SignedIn): KeysError {
    const again = `sign in again: ${cli} login`
    if (by === undefined) {
      return refusal(
        `${name}: nobody is signed in to ${address}`,
        `${cli} login, or set VAULT_TOKEN, VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_K8S_ROLE`,
      )
    }
    const isFile = by.kind === 'given' && !/^(BAO|VAULT)_/.test(by.from)
    return refusal(
      `${name}: the login of ${by.from} is expired or not known to ${address}`,
      isFile || by.kind !== 'given' ? again : `${again}, and set ${by.from} anew or unset it`,
    )
  }

  return {
    login,

    async send(request, signal) {
      for (let attempt = 1; ; attempt++) {
        const signedIn = await login()
        const answer = await ask(signedIn.secret, request, signal)
        const { by, secret } = signedIn
        const isMissing = !secret && (answer.status === 403 || /missing client token/.test(errorsOf(answer)))
        if (isMissing) throw overError(signedIn)
        if (answer.status !== 403) {
          refuseStatus(answer, request, { name, address, cli })
          return answer
        }
        if (errorsOf(answer) === '') throw refusedOnTheWay(name, address, answer)
        if (await isOver(signedIn, signal)) {
          // our own login was ended before its time, or used up
          await forget(signedIn)
          if (by?.kind !== 'given' && attempt === 1) continue
          throw overError(signedIn)
        }
        if (request.mayBeForbidden) return answer
        throw forbidden(name, request)
      }
    },
  }
}
