/** What a program is that has no place in production. */
export interface DevelopmentProgram {
  /** `GitHub Actions`. */
  name: string
  /** A command-line client may well be a script that runs in production; the others hardly. */
  kind: 'ci' | 'api-client' | 'test-runner' | 'command-line'
}

const named: readonly (readonly [DevelopmentProgram['kind'], string, RegExp])[] = [
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
  ['api-client', 'Postman', /\bpostman/i],
  ['test-runner', 'newman', /\bnewman\b/i],
  ['api-client', 'Insomnia', /\binsomnia\b/i],
  ['api-client', 'Bruno', /\bbruno(-?runtime)?\b/i],
  ['api-client', 'Hoppscotch', /\bhoppscotch\b/i],
  ['api-client', 'Thunder Client', /\bthunder[ _-]?client\b/i],
  ['api-client', 'Yaak', /\byaak\b/i],
  ['api-client', 'REST Client', /\bvscode-restclient\b|\brest[ _-]client\b/i],
  ['api-client', 'IntelliJ HTTP Client', /\bintellij http client\b/i],
  ['api-client', 'RapidAPI', /\brapidapi\b|^paw\b/i],
  ['api-client', 'SoapUI', /\bsoapui\b/i],
  ['test-runner', 'jest', /\bjest\b/i],
  ['test-runner', 'vitest', /\bvitest\b/i],
  ['test-runner', 'mocha', /\bmocha\b/i],
  ['test-runner', 'Cypress', /\bcypress\b/i],
  ['test-runner', 'Playwright', /\bplaywright\b/i],
  ['test-runner', 'pytest', /\bpytest\b/i],
  ['test-runner', 'RSpec', /\brspec\b/i],
  ['test-runner', 'k6', /\bk6\b/i],
  ['test-runner', 'JMeter', /\bjmeter\b/i],
  ['test-runner', 'Artillery', /\bartillery\b/i],
  ['test-runner', 'Locust', /\blocust\b/i],
  ['test-runner', 'Gatling', /\bgatling\b/i],
  ['command-line', 'curl', /^curl\b/i],
  ['command-line', 'Wget', /^wget\b/i],
  ['command-line', 'HTTPie', /^httpie\b/i],
  ['command-line', 'xh', /^xh\b/i],
  ['command-line', 'Hurl', /^hurl\b/i],
  ['command-line', 'PowerShell', /powershell\b/i],
  // what says of itself that it is one: `deploy (CI)`
  ['ci', 'a CI job', /(?<![\w.])ci(?![\w.])/i],
]

/** What a program is by its name (a user agent without versions); undefined for one of production. */
export function developmentProgramOf(program: string): DevelopmentProgram | undefined {
  const found = named.find(([, , pattern]) => pattern.test(program))
  return found && { kind: found[0], name: found[1] }
}
