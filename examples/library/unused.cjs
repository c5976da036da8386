// Lists the active keys that nobody has used for so many days, from CommonJS:
//   node unused.cjs 90
const { createClient } = require('pictify-keys')

const days = Number(process.argv[2] ?? 90)

async function main() {
  const client = createClient({
    credential: process.env.PICTIFY_ADMIN_KEY ?? '',
    baseUrl: process.env.PICTIFY_API_URL,
  })
  const since = Date.now() - days * 86_400_000
  for await (const key of client.keys.list({ status: 'active' })) {
    const lastUse = key.lastUsedAt ?? key.createdAt
    if (Date.parse(lastUse) < since) console.log(`${key.id}\t${key.name}\t${key.lastUsedAt ?? 'never used'}`)
  }
  await client.close()
}

main().catch((error) => {
  console.error(error.message)
  process.exitCode = error.exit ?? 1
})
