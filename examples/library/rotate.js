// Rotates a key that an application finds in .env, as a nightly job does it:
//   node rotate.js "Production Server"
import { createClient, KeysError, rotate } from 'pictify-keys'

const [key, rehearsal] = process.argv.slice(2)

const client = createClient({
  credential: process.env.PICTIFY_ADMIN_KEY ?? '',
  baseUrl: process.env.PICTIFY_API_URL,
  // for proxies, and for the command below; nothing else of the process is read
  env: process.env,
})

// The first Ctrl-C stops at the next safe point; the same line, run again, goes on.
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

try {
  const receipt = await rotate(client, key ?? '', {
    targets: ['env:.env#PICTIFY_API_KEY'],
    verify: 'node -e "if (!process.env.PICTIFY_API_KEY) process.exit(1)"',
    waitMs: 10 * 60_000,
    // the waits are for the real API, where a key takes its time to spread and usage is late
    ...(rehearsal === '--rehearse' && { settleMs: 2_000, idleMs: 2_000, usageLagMs: 1_000 }),
    signal: stop.signal,
    onEvent(event) {
      if (event.event === 'step') console.error(`step: ${event.step}`)
      if (event.event === 'evidence') console.error(`missing: ${event.missing.join('; ') || 'nothing'}`)
      if (event.event === 'warning') console.error(`warning: ${event.message}`)
    },
  })
  console.log(`${receipt.oldKey.id} was replaced by ${receipt.newKey?.id}`)
} catch (error) {
  if (!(error instanceof KeysError)) throw error
  console.error(`${error.code}: ${error.message}`)
  if (error.hint) console.error(error.hint)
  // as the command line ends: 5 waiting, 6 undone, 7 a person is needed, 8 locked
  process.exitCode = error.exit
} finally {
  await client.close()
}
