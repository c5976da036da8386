// Rotates a key that is kept in two places: Consul, by the target beside this file, and an environment file.
//   npm run build && node dist/rotate-in-consul.js "Production Server"
import { createClient, rotate, RotationError } from 'pictify-keys'
import { createConsulTarget } from './consul.js'

const { PICTIFY_ADMIN_KEY = '', PICTIFY_API_URL, CONSUL_HTTP_ADDR = 'http://127.0.0.1:8500' } = process.env
const [name = '', rehearsal] = process.argv.slice(2)

const client = createClient({ credential: PICTIFY_ADMIN_KEY, baseUrl: PICTIFY_API_URL })
try {
  const receipt = await rotate(client, name, {
    targets: [createConsulTarget({ url: CONSUL_HTTP_ADDR, key: 'shop/pictify/api-key' }), 'env:.env'],
    async verify(secret) {
      if ((await client.probe(secret)) !== 'accepted') throw new Error('the API does not take the new key')
    },
    ...(rehearsal === '--rehearse' && { settleMs: 2_000, idleMs: 2_000, usageLagMs: 1_000 }),
  })
  for (const target of receipt.targets) console.log(`${target.name}: ${target.state}`)
} catch (error) {
  if (!(error instanceof RotationError)) throw error
  console.error(`${error.message} (${error.receipt.state})`)
  if (error.hint) console.error(error.hint)
  process.exitCode = error.exit
} finally {
  await client.close()
}
