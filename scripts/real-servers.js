// The real servers that the suites of the stores run against: moto, OpenBao, Kubernetes, and the tools beside them.
//   node scripts/real-servers.js install [names]   puts what is missing into the cache
//   node scripts/real-servers.js start [names]     starts them on loopback, and prints where
//   node scripts/real-servers.js stop              ends what start started
// `npm run test:servers` starts a set of its own and ends it.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { end, install, start } from './servers/index.js'

const state = path.join(tmpdir(), `pictify-keys-servers-${process.getuid?.() ?? ''}.json`)
const [verb, ...names] = process.argv.slice(2)
const wanted = names.length > 0 ? names : undefined

function tell(missing) {
  for (const [name, why] of Object.entries(missing)) {
    console.error(`not to be had here: ${name}: ${why}`)
    process.exitCode = 1
  }
}

if (verb === 'install') {
  const { installed, missing } = await install(wanted)
  console.log(Object.keys(installed).join('\n'))
  tell(missing)
} else if (verb === 'start') {
  const { facts, missing, pids, folder } = await start(wanted)
  await writeFile(state, JSON.stringify({ pids, folder }), { mode: 0o600 })
  console.log(JSON.stringify(facts, null, 2))
  tell(missing)
} else if (verb === 'stop') {
  await end(JSON.parse(await readFile(state, 'utf8')))
  await rm(state)
} else {
  console.error('usage: node scripts/real-servers.js install|start|stop [names]')
  process.exitCode = 2
}
