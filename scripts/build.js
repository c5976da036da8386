// Builds dist/, where bin/ finds the program: npm run build.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { bundleProgram, dist, root } from './bundle.js'

async function licences(metafile) {
  const folders = new Set()
  for (const input of Object.keys(metafile.inputs)) {
    const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]
    if (folder) folders.add(folder)
  }
  const texts = await Promise.all([...folders].sort().map(licence))
  return `pictify-keys contains the following software.\n\n${texts.join('\n')}`
}

async function licence(folder) {
  const manifest = JSON.parse(await readFile(path.join(root, folder, 'package.json'), 'utf8'))
  const file = (await readdir(path.join(root, folder))).find((name) => /^licen[cs]e/i.test(name))
  const text = file ? await readFile(path.join(root, folder, file), 'utf8') : `License: ${manifest.license}\n`
  return `--- ${manifest.name} ${manifest.version} (${manifest.license}) ---\n\n${text.trim()}\n`
}

const { files, metafile } = await bundleProgram()
files.set(path.join(dist, 'THIRD-PARTY-LICENSES.txt'), await licences(metafile))

// Each file takes its name in one step and main.js goes last: a program started meanwhile is the old one or the new one.
await mkdir(path.join(dist, 'chunks'), { recursive: true })
const order = [...files.keys()].sort(
  (a, b) => Number(a.endsWith('/main.js')) - Number(b.endsWith('/main.js')),
)
for (const file of order) {
  await writeFile(`${file}.${process.pid}`, files.get(file))
  await rename(`${file}.${process.pid}`, file)
}
for (const name of await readdir(path.join(dist, 'chunks'))) {
  const file = path.join(dist, 'chunks', name)
  if (!files.has(file)) await rm(file, { force: true })
}
