// Builds dist/, where bin/ finds the program: npm run build.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { bundleLibrary, bundleProgram, dist, root } from './bundle.js'
import { libraryTypes } from './library-types.js'

async function licences(...metafiles) {
  const folders = new Set()
  for (const input of metafiles.flatMap(({ inputs }) => Object.keys(inputs))) {
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

const [program, library, types] = await Promise.all([bundleProgram(), bundleLibrary(), libraryTypes()])
const files = new Map([...program.files, ...library.files])
files.set(path.join(dist, 'library.d.ts'), types)
files.set(path.join(dist, 'THIRD-PARTY-LICENSES.txt'), await licences(program.metafile, library.metafile))

// Each file takes its name in one step and main.js goes last: a program started meanwhile is the old one or the new one.
const folders = ['chunks', 'library']
for (const folder of folders) await mkdir(path.join(dist, folder), { recursive: true })
const order = [...files.keys()].sort(
  (a, b) => Number(a.endsWith('/main.js')) - Number(b.endsWith('/main.js')),
)
for (const file of order) {
  await writeFile(`${file}.${process.pid}`, files.get(file))
  await rename(`${file}.${process.pid}`, file)
}
for (const folder of folders) {
  for (const name of await readdir(path.join(dist, folder))) {
    const file = path.join(dist, folder, name)
    if (!files.has(file)) await rm(file, { force: true })
  }
}
