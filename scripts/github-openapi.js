// Takes what the tests of the GitHub targets need out of GitHub's published OpenAPI description, as the npm package
// @octokit/openapi has it, into test/servers/github-openapi.json. The package is far too large to depend on:
//   node scripts/github-openapi.js [version]
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const source = '@octokit/openapi'
const file = fileURLToPath(new URL('../test/servers/github-openapi.json', import.meta.url))

/** What is asked by the targets, by `gh`, and of the test server. */
const operations = {
  '/user': ['get'],
  '/repos/{owner}/{repo}': ['get'],
  ...secretsOf('/repos/{owner}/{repo}/actions/secrets'),
  ...secretsOf('/repos/{owner}/{repo}/environments/{environment_name}/secrets'),
  ...secretsOf('/orgs/{org}/actions/secrets'),
  '/orgs/{org}/actions/secrets/{secret_name}/repositories': ['get'],
}
/** The answers of which an example is kept, for a test server to begin with. */
const examples = ['/user', '/repos/{owner}/{repo}', '/orgs/{org}/actions/secrets/{secret_name}/repositories']

function secretsOf(base) {
  return {
    [base]: ['get'],
    [`${base}/public-key`]: ['get'],
    [`${base}/{secret_name}`]: ['get', 'put', 'delete'],
  }
}

const folder = await mkdtemp(path.join(tmpdir(), 'github-openapi-'))
try {
  const wanted = `${source}@${process.argv[2] ?? 'latest'}`
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, wanted])
  const [{ filename, version }] = JSON.parse(stdout)
  await run('tar', ['-xzf', path.join(folder, path.basename(filename)), '-C', folder])
  const read = async (name) => JSON.parse(await readFile(path.join(folder, 'package', name), 'utf8'))
  const [document, { license }] = [await read('generated/api.github.com.json'), await read('package.json')]
  const subset = {
    openapi: document.openapi,
    info: {
      title: `A part of ${document.info.title}`,
      version,
      license: { name: license },
      description: `${source} ${version}, by scripts/github-openapi.js; copyright (c) 2020 Octokit contributors`,
    },
    paths: {},
    components: {},
  }
  for (const [template, methods] of Object.entries(operations)) {
    subset.paths[template] = {}
    for (const method of methods) {
      const operation = document.paths[template][method]
      const kept = strip(operation)
      if (examples.includes(template)) kept.responses['200'].example = exampleOf(document, operation)
      subset.paths[template][method] = kept
    }
  }
  subset.components.schemas = { 'basic-error': strip(document.components.schemas['basic-error']) }
  addReferenced(document, subset, subset.paths)
  await writeFile(file, `${JSON.stringify(subset, null, 1)}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Without what says nothing of the form of a request or an answer. */
function strip(value, isNames = false) {
  if (Array.isArray(value)) return value.map((each) => strip(each))
  if (typeof value !== 'object' || value === null) return value
  const prose = (key) =>
    /^(description|summary|tags|externalDocs|examples?|title|x-.*|operationId)$/.test(key)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => isNames || !prose(key))
      .map(([key, each]) => [key, strip(each, !isNames && /^(properties|headers)$/.test(key))]),
  )
}

function exampleOf(document, operation) {
  const { examples } = operation.responses['200'].content['application/json']
  const [first] = Object.values(examples)
  return first.$ref ? lookUp(document, first.$ref).value : first.value
}

function lookUp(document, reference) {
  return reference
    .slice(2)
    .split('/')
    .reduce((at, key) => at[key.replaceAll('~1', '/').replaceAll('~0', '~')], document)
}

/** Everything that `value` refers to, and what that refers to. */
function addReferenced(document, subset, value) {
  if (typeof value !== 'object' || value === null) return
  if (typeof value.$ref === 'string') {
    const [, , kind, name] = value.$ref.split('/')
    subset.components[kind] ??= {}
    if (!(name in subset.components[kind])) {
      subset.components[kind][name] = strip(lookUp(document, value.$ref))
      addReferenced(document, subset, subset.components[kind][name])
    }
  }
  for (const each of Object.values(value)) addReferenced(document, subset, each)
}
