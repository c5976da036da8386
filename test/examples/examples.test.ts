// What action.yml, the examples and docs/ci.md say of each other and of the program, without running any of them.
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { root, text } from './folder.ts'
import { action, type Workflow } from './github.ts'

const manifest = async () => JSON.parse(await text('package.json')) as { version: string }

/** What stands in backquotes in the first column of the table with this heading. */
async function table(heading: string): Promise<string[]> {
  const document = await text('docs/ci.md')
  const rows = document.split(`| ${heading} | |\n| --- | --- |\n`)[1]?.split('\n\n')[0]?.split('\n') ?? []
  return rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''),
  )
}

describe('the action', () => {
  test('puts nothing from outside into a script', async () => {
    const workflow = parse(await text('examples/github-actions.yml')) as Workflow
    const steps = [
      ...(await action()).runs.steps,
      ...Object.values(workflow.jobs).flatMap((job) => job.steps),
    ]
    const scripts = steps.flatMap(({ run }) => run ?? [])
    expect(scripts).toHaveLength(3)
    for (const script of scripts) expect(script).not.toContain('${{')
  })

  test('reads every input that it declares, and no other', async () => {
    const { inputs, runs } = await action()
    const used = runs.steps.flatMap(({ env }) =>
      Object.values(env).flatMap((value) => [...value.matchAll(/inputs\.([\w-]+)/g)]),
    )
    expect(new Set(used.map(([, name]) => name))).toEqual(new Set(Object.keys(inputs)))
  })

  test('gives the admin key to the one step that rotates', async () => {
    const [install, rotate] = (await action()).runs.steps
    // of the job's own environment it is taken away
    const { PICTIFY_ADMIN_KEY, ...others } = install?.env ?? {}
    expect(PICTIFY_ADMIN_KEY).toBe('')
    expect(JSON.stringify({ ...install, env: others })).not.toMatch(/admin-key|PICTIFY_ADMIN_KEY|old-secret/)
    expect(rotate?.env['PICTIFY_ADMIN_KEY']).toContain('inputs.admin-key')
  })

  test('has the inputs and outputs of docs/ci.md', async () => {
    const { inputs, outputs } = await action()
    expect((await table('Input')).sort()).toEqual(Object.keys(inputs).sort())
    expect((await table('Output')).sort()).toEqual(Object.keys(outputs).sort())
  })
})

test('libraries and versions are those that the program asks for', async () => {
  const source = await text('src/targets/sdk.ts')
  const wanted = [...source.matchAll(/^ {2}'([@\w/-]+)': '([\d.]+)',$/gm)].map(
    ([, name, version]) => `${name}@${version}`,
  )
  expect(wanted).toHaveLength(4)
  for (const file of ['action.yml', 'examples/Dockerfile']) {
    for (const library of wanted) expect(`${file}: ${await text(file)}`).toContain(library)
  }
  expect(await text('examples/circleci.yml')).toContain(
    wanted.find((library) => library.startsWith('@aws-sdk/')),
  )
})

test('the version is this one', async () => {
  const { version } = await manifest()
  const minor = version.replace(/\.\d+$/, '')
  const said = {
    'examples/Dockerfile': `ARG VERSION=${version}`,
    'examples/kubernetes.yaml': `pictify-keys:${version}`,
  }
  for (const [file, words] of Object.entries(said)) expect(await text(file)).toContain(words)
  for (const file of ['gitlab-ci.yml', 'circleci.yml', 'Jenkinsfile'])
    expect(await text(`examples/${file}`)).toMatch(new RegExp(`pictify-keys@${minor}(?![\\d.])`))
  for (const file of ['examples/github-actions.yml', 'docs/ci.md'])
    expect(await text(file)).toContain(`OWNER/pictify-keys@v${version}`)
})

test('the README of the examples names each of them, and docs/ci.md leads to each', async () => {
  const files = (await readdir(path.join(root, 'examples'), { withFileTypes: true })).filter((each) =>
    each.isFile(),
  )
  const [own, guide] = [await text('examples/README.md'), await text('docs/ci.md')]
  for (const { name } of files.filter((each) => each.name !== 'README.md')) {
    expect(own).toContain(`\`${name}\``)
    expect(guide).toContain(`\`examples/${name}\``)
  }
})
