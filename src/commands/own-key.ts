import type { Client, Key } from '../api/contract.ts'
import type { Context } from '../context.ts'

/** The id of the key that the program works with; undefined where the API does not tell. */
export async function ownKeyId(
  { credential, signal }: Pick<Context, 'credential' | 'signal'>,
  api: Pick<Client, 'whose'>,
): Promise<string | undefined> {
  const { secret } = await credential()
  return api.whose(secret, { signal })
}

/** The same by the list of keys, where that says it: the API is asked only where several may be it. */
export async function ownKeyIdAmong(
  context: Pick<Context, 'credential' | 'signal'>,
  api: Pick<Client, 'whose'>,
  keys: readonly Key[],
): Promise<string | undefined> {
  const [first, ...others] = keys.filter(
    ({ status, access }) => status === 'active' && (access === undefined || access === 'admin'),
  )
  return others.length === 0 ? first?.id : ownKeyId(context, api)
}
