/** What a program is that has no place in production. */
export interface DevelopmentProgram {
  /** `GitHub Actions`. */
  name: string
  /** A command-line client may well be a script that runs in production; the others hardly. */
  kind: 'ci' | 'api-client' | 'test-runner' | 'command-line'
}

type Kind = DevelopmentProgram['kind']

/** Names that mean nothing else, wherever they stand. */
const brands: readonly (readonly [Kind, string, RegExp])[] = [
  ['ci', 'GitHub Actions', /\bgithub[ _-]?actions?\b|\bactions\/(http-client|github-script|toolkit)/i],
  ['ci', 'GitLab CI', /\bgitlab[ _-]?(ci|runner)\b/i],
  ['ci', 'Jenkins', /\bjenkins\b/i],
  ['ci', 'CircleCI', /\bcircle[ _-]?ci\b/i],
  ['ci', 'Travis CI', /\btravis[ _-]?ci\b/i],
  ['ci', 'Azure Pipelines', /\bazure[ _-]?(pipelines|devops)\b|\bvsts(?=[_-])/i],
  ['ci', 'Bitbucket Pipelines', /\bbitbucket[ _-]?pipelines\b/i],
  ['ci', 'Buildkite', /\bbuildkite\b/i],
  ['ci', 'TeamCity', /\bteamcity\b/i],
  ['ci', 'AWS CodeBuild', /\bcodebuild\b/i],
  ['ci', 'Drone', /\bdrone[ _-]?(ci|runner)\b/i],
  ['ci', 'AppVeyor', /\bappveyor\b/i],
  ['ci', 'Semaphore', /\bsemaphore[ _-]?ci\b/i],
  ['api-client', 'Hoppscotch', /\bhoppscotch\b/i],
  ['api-client', 'Thunder Client', /\bthunder[ _-]?client\b/i],
  ['api-client', 'REST Client', /\bvscode-restclient\b|\brest[ _-]client\b/i],
  ['api-client', 'IntelliJ HTTP Client', /\bintellij http client\b/i],
  ['api-client', 'RapidAPI', /\brapidapi\b/i],
  ['api-client', 'SoapUI', /\bsoapui\b/i],
]

/** Words that may be a part of any name: as a product of their own alone. */
const products: readonly (readonly [Kind, string, RegExp])[] = [
  ['api-client', 'Postman', /^postman(runtime)?$/i],
  ['test-runner', 'newman', /^newman$/i],
  ['api-client', 'Insomnia', /^insomnia$/i],
  ['api-client', 'Bruno', /^bruno(-?runtime)?$/i],
  ['api-client', 'Yaak', /^yaak$/i],
  ['api-client', 'RapidAPI', /^paw$/i],
  ['test-runner', 'jest', /^jest$/i],
  ['test-runner', 'vitest', /^vitest$/i],
  ['test-runner', 'mocha', /^mocha$/i],
  ['test-runner', 'Cypress', /^cypress$/i],
  ['test-runner', 'Playwright', /^playwright$/i],
  ['test-runner', 'pytest', /^pytest$/i],
  ['test-runner', 'RSpec', /^rspec$/i],
  ['test-runner', 'k6', /^(grafana-?)?k6$/i],
  ['test-runner', 'JMeter', /^(apache-)?jmeter$/i],
  ['test-runner', 'Artillery', /^artillery$/i],
  ['test-runner', 'Locust', /^locust$/i],
  ['test-runner', 'Gatling', /^gatling$/i],
  ['command-line', 'PowerShell', /^(windows)?powershell$/i],
  // what says of itself that it is one: `deploy (CI)`
  ['ci', 'a CI job', /^ci( (job|build|runner))?$/i],
]

/** Programs that others are made with: as the first product alone. */
const tools: readonly (readonly [Kind, string, RegExp])[] = [
  ['command-line', 'curl', /^curl$/i],
  ['command-line', 'Wget', /^wget$/i],
  ['command-line', 'HTTPie', /^httpie$/i],
  ['command-line', 'xh', /^xh$/i],
  ['command-line', 'Hurl', /^hurl$/i],
]

/** What a program is by its name (a user agent without versions); undefined for one of production. */
export function developmentProgramOf(program: string): DevelopmentProgram | undefined {
  const names = productsOf(program)
  const found =
    brands.find(([, , pattern]) => pattern.test(program)) ??
    products.find(([, , pattern]) => names.some((name) => pattern.test(name))) ??
    tools.find(([, , pattern]) => pattern.test(names[0] ?? ''))
  return found && { kind: found[0], name: found[1] }
}

/** The words outside of brackets, without what follows a slash, and what stands between two marks within them. */
function productsOf(program: string): string[] {
  const comments = [...program.matchAll(/\(([^()]*)\)/g)].flatMap(([, comment = '']) => comment.split(/[;,]/))
  const words = program.replaceAll(/\([^()]*\)/g, ' ').split(/[\s,;]+/)
  return [...words.map((word) => word.replace(/\/.*$/, '')), ...comments.map((each) => each.trim())].filter(
    (name) => name !== '',
  )
}
