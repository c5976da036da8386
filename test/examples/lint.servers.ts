// Every file of examples/ and action.yml, by what its own system reads it with, and the shell in them by ShellCheck.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { openFolder, root, run, text, type Folder, type ToolFacts } from './folder.ts'
import { action, type Workflow } from './github.ts'
import { playJenkinsfile, type JenkinsFacts } from './jenkins.ts'

const tools = inject('servers')
const tool = (name: string) => tools[name] as ToolFacts | undefined
const jenkins = tools['jenkins'] as JenkinsFacts | undefined

let folder: Folder
beforeAll(async () => {
  folder = await openFolder({ url: '' })
})
afterAll(() => folder?.remove())

/** Runs a linter, which must find nothing. */
async function passes(name: string, args: string[], input = ''): Promise<void> {
  const ran = await run(tool(name)?.command ?? '', args, { input })
  expect(`${ran.code} ${ran.stdout}${ran.stderr}`).toMatch(/^0 /)
}

/** Runs it on what is wrong, of which it must say this. */
async function finds(name: string, args: string[], what: RegExp, input = ''): Promise<void> {
  const ran = await run(tool(name)?.command ?? '', args, { input })
  expect(ran.code).not.toBe(0)
  expect(ran.stdout + ran.stderr).toMatch(what)
}

async function spoilt(name: string, content: string): Promise<string> {
  const file = path.join(folder.directory, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, content)
  return file
}

describe.skipIf(!tool('schemas'))('by the schemas of', () => {
  test.each([
    ['github-actions', 'action.yml', 'using: composite', 'using: compositor'],
    ['github-workflows', 'examples/github-actions.yml', 'runs-on:', 'run-on:'],
    ['gitlab-ci', 'examples/gitlab-ci.yml', 'exit_codes: 5', 'exit_codes: five'],
    ['circle-ci', 'examples/circleci.yml', 'docker:', 'docker: []\n    dockers:'],
  ])('%s: %s', async (schema, file, right, wrong) => {
    const args = ['--builtin-schema', `vendor.${schema}`]
    await passes('schemas', [...args, path.join(root, file)])
    const content = await text(file)
    expect(content).toContain(right)
    await finds('schemas', [...args, await spoilt('wrong.yml', content.replace(right, wrong))], /wrong\.yml/)
  })
})

describe.skipIf(!tool('actionlint') || !tool('shellcheck'))('by actionlint', () => {
  // with a folder .github, in which it also looks for the actions that a workflow uses
  const lint = (file: string) => [
    '-no-color',
    '-shellcheck',
    tool('shellcheck')?.command ?? '',
    '-pyflakes=',
    file,
  ]

  test('the workflow', async () => {
    await passes('actionlint', lint(path.join(root, 'examples/github-actions.yml')))
    const content = await text('examples/github-actions.yml')
    const wrong = content.replace('steps.rotate.outputs.state', 'steps.rotated.outputs.state')
    await finds('actionlint', lint(await spoilt('workflow.yml', wrong)), /property "rotated" is not defined/)
  })

  test('the workflow gives the action inputs that it has, and reads outputs that it has', async () => {
    await run('git', ['init', '-q', folder.directory])
    const own = (workflow: string) => workflow.replace('OWNER/pictify-keys@v0.1.0', './.github/action')
    await spoilt('.github/action/action.yml', await text('action.yml'))
    const content = own(await text('examples/github-actions.yml'))
    await passes('actionlint', lint(await spoilt('.github/workflows/rotate.yml', content)))
    for (const [right, wrong, what] of [
      ['if-older-than:', 'older-than:', /input "older-than" is not defined/],
      ['outputs.new-key-id', 'outputs.new-key', /property "new-key" is not defined/],
    ] as const) {
      const file = await spoilt('.github/workflows/rotate.yml', content.replace(right, wrong))
      await finds('actionlint', lint(file), what)
    }
  })
})

describe.skipIf(!tool('hadolint'))('by hadolint', () => {
  test('the Dockerfile', async () => {
    await passes('hadolint', [path.join(root, 'examples/Dockerfile')])
    await finds('hadolint', ['-'], /DL3006/, 'FROM node\nUSER 1000\n')
  })
})

describe.skipIf(!jenkins)('by Groovy', () => {
  const play = (file?: string) =>
    playJenkinsfile(jenkins as JenkinsFacts, {
      file,
      credentials: { 'pictify-admin-key': '', 'vault-role-id': '', 'vault-secret-id': '' },
      runs: false,
    })

  test('the Jenkinsfile', async () => {
    expect(await play()).toMatchObject({ result: 'SUCCESS', error: null })
  })

  test.each([
    ["triggers { cron('H 3 * * *') }", "triggers { cron('nightly') }", 'cron: nightly'],
    [
      'disableConcurrentBuilds()',
      'disableConcurrentBuild()',
      'disableConcurrentBuild has no place in Options',
    ],
    ['script {', 'scripts {', 'scripts has no place in Steps'],
    ['stages {', 'stages [', 'unexpected token'],
  ])('and one that has %s otherwise is refused', async (right, wrong, what) => {
    const content = await text('examples/Jenkinsfile')
    expect(content).toContain(right)
    await expect(play(await spoilt('Jenkinsfile', content.replace(right, wrong)))).rejects.toThrow(what)
  })
})

/** What is shell in YAML, by what runs it. */
async function scripts(): Promise<[name: string, shell: 'bash' | 'sh', script: string][]> {
  const workflow = parse(await text('examples/github-actions.yml')) as Workflow
  const { before_script, script, after_script } = (
    parse(await text('examples/gitlab-ci.yml')) as Record<string, Record<string, string[]>>
  )['rotate-pictify-key'] as Record<string, string[]>
  const circle = parse(await text('examples/circleci.yml')) as {
    jobs: Record<string, { steps: { run?: { command: string } }[] }>
  }
  const cron = parseAllDocuments(await text('examples/kubernetes.yaml')).at(-1)
  const at = ['spec', 'jobTemplate', 'spec', 'template', 'spec', 'containers', 0, 'command', 2]
  const steps = [...(await action()).runs.steps, ...Object.values(workflow.jobs).flatMap((job) => job.steps)]
  return [
    ...steps.flatMap(({ run: line, name = 'a step' }) =>
      line === undefined ? [] : [[name, 'bash', line] as [string, 'bash', string]],
    ),
    ['GitLab', 'bash', [before_script, script].flat().join('\n')],
    ['GitLab, after it', 'bash', (after_script ?? []).join('\n')],
    ...Object.values(circle.jobs)
      .flatMap((job) => job.steps.flatMap((step) => step.run ?? []))
      .map(({ command }) => ['CircleCI', 'bash', command] as [string, 'bash', string]),
    ['Kubernetes', 'sh', String(cron?.getIn(at))],
  ]
}

describe.skipIf(!tool('shellcheck') || !jenkins)('by ShellCheck', () => {
  test('all shell that there is', async () => {
    const { scripts: ofJenkins } = await playJenkinsfile(jenkins as JenkinsFacts, {
      credentials: { 'pictify-admin-key': '', 'vault-role-id': '', 'vault-secret-id': '' },
      runs: false,
    })
    const all = [...(await scripts()), ...ofJenkins.map((script) => ['Jenkins', 'sh', script] as const)]
    expect(all.length).toBeGreaterThan(9)
    for (const [name, shell, script] of all) {
      expect(`${name}: ${script}`).not.toMatch(/: (undefined)?$/)
      await passes('shellcheck', ['--norc', '--enable=all', `--exclude=${notOurs}`, '-s', shell, '-'], script)
    }
    await finds('shellcheck', ['-s', 'sh', '-'], /SC2086/, 'rm $1\n')
  })
})

/** Of the optional checks: braces around every variable, [[ ]] everywhere, variables that nobody here sets. */
const notOurs = 'SC2250,SC2292,SC2154'
