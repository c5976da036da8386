// What each key did in the last week, from TypeScript that is compiled to CommonJS:
//   npm run build && node dist/usage.cjs
import { createClient, type Key, type Usage } from 'pictify-keys'

function line(key: Key, usage: Usage): string {
  const { requests, errors } = usage.windows['7d']
  return [key.name, requests, errors].join('\t')
}

async function main(): Promise<void> {
  const { PICTIFY_ADMIN_KEY = '', PICTIFY_API_URL } = process.env
  const client = createClient({ credential: PICTIFY_ADMIN_KEY, baseUrl: PICTIFY_API_URL })
  for await (const key of client.keys.list({ status: 'active' })) {
    console.log(line(key, await client.keys.usage(key.id)))
  }
  await client.close()
}

void main()
