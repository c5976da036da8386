// Reads a Jenkinsfile with the Groovy that Jenkins has, and runs it as Jenkins' declarative pipelines run; a directive or a
// step that it does not know is refused. On stdin, as JSON: file, workspace, env, credentials (by id), runs (whether `sh`
// is run; else each script ends with 0). On stdout, as JSON: result, description, error, scripts, archived. What the
// scripts say goes to stderr.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import org.codehaus.groovy.control.CompilerConfiguration

class Refused extends RuntimeException {
  Refused(String message) { super(message) }
}

class Failed extends RuntimeException {
  Failed(String message) { super(message) }
}

/** What a block may have in it: the methods of its class, and nothing else. */
abstract class Block {
  Build build
  void enter(Closure body) {
    body.delegate = this
    body.resolveStrategy = Closure.DELEGATE_ONLY
    body.call()
  }
  def methodMissing(String name, args) { throw new Refused("${name} has no place in ${getClass().simpleName}") }
  def propertyMissing(String name) {
    if (build.env.containsKey(name)) return build.env[name]
    throw new Refused("${name} is nothing that ${getClass().simpleName} knows")
  }
  void expect(boolean isSo, String what) { if (!isSo) throw new Refused(what) }
}

class Build {
  Map env
  Map credentials
  File workspace
  boolean runs
  String result = 'SUCCESS'
  String description
  String error
  List scripts = []
  List archived = []
}

class Agent extends Block {
  void label(String name) { expect(!name.isEmpty(), 'a label has a name') }
}

class Triggers extends Block {
  void cron(String spec) {
    expect(spec ==~ /(?:@(?:hourly|daily|midnight|weekly)|[H\d*,\/()-]+(?: [H\d*,\/()-]+){4})/, "cron: ${spec}")
  }
}

class Options extends Block {
  void disableConcurrentBuilds() {}
  void timeout(Map limit) { expect(limit.time > 0 && limit.unit in ['MINUTES', 'HOURS'], 'timeout') }
  Map logRotator(Map limits) { limits }
  void buildDiscarder(Map rotator) { expect(rotator.numToKeepStr ==~ /\d+/, 'numToKeepStr is a number in quotes') }
}

class Environment extends Block {
  def propertyMissing(String name, value) { build.env[name] = value.toString() }
}

class Steps extends Block {
  /** `script` alone has Groovy of any kind. */
  void script(Closure body) { enter(body) }

  Map string(Map binding) {
    expect(binding.keySet() == ['credentialsId', 'variable'] as Set, 'string has a credentialsId and a variable')
    binding
  }

  void withCredentials(List bindings, Closure body) {
    def before = new LinkedHashMap(build.env)
    for (each in bindings) {
      if (!build.credentials.containsKey(each.credentialsId)) throw new Failed("no credentials ${each.credentialsId}")
      build.env[each.variable] = build.credentials[each.credentialsId]
    }
    try { enter(body) } finally { build.env = before }
  }

  void sh(String script) {
    def code = shell(script)
    if (code != 0) throw new Failed("script returned exit code ${code}")
  }

  def sh(Map given) {
    expect(given.keySet() == ['returnStatus', 'script'] as Set && given.returnStatus == true, 'sh')
    shell(given.script)
  }

  /** Without a #! line, Jenkins runs what it is given by `sh -xe`. */
  private int shell(CharSequence script) {
    build.scripts << script.toString()
    if (!build.runs) return 0
    def file = File.createTempFile('script', '.sh', build.workspace)
    file.text = script
    def builder = new ProcessBuilder('sh', '-xe', file.path).directory(build.workspace)
    builder.environment().clear()
    builder.environment().putAll(build.env)
    def process = builder.redirectErrorStream(true).start()
    process.outputStream.close()
    process.inputStream.eachLine { System.err.println(it) }
    process.waitFor()
  }

  void error(CharSequence message) { throw new Failed(message.toString()) }
  Build getCurrentBuild() { build }
}

class Stage extends Block {
  void steps(Closure body) { new Steps(build: build).enter(body) }
}

class Stages extends Block {
  void stage(String name, Closure body) { new Stage(build: build).enter(body) }
}

class PostSteps extends Block {
  void archiveArtifacts(Map given) {
    expect(given.keySet() == ['artifacts', 'allowEmptyArchive'] as Set, 'archiveArtifacts')
    build.archived.addAll(given.artifacts.split(/,\s*/).findAll { new File(build.workspace, it).exists() })
  }
}

class Post extends Block {
  void always(Closure body) { new PostSteps(build: build).enter(body) }
}

class Pipeline extends Block {
  Map bodies = [:]
  static final sections = ['agent', 'triggers', 'options', 'environment', 'stages', 'post']

  def methodMissing(String name, args) {
    if (!(name in sections) || bodies.containsKey(name)) throw new Refused("${name} has no place in pipeline")
    bodies[name] = args[0]
  }

  void run() {
    expect(bodies.agent && bodies.stages, 'a pipeline has an agent and stages')
    new Agent(build: build).enter(bodies.agent)
    if (bodies.triggers) new Triggers(build: build).enter(bodies.triggers)
    if (bodies.options) new Options(build: build).enter(bodies.options)
    if (bodies.environment) new Environment(build: build).enter(bodies.environment)
    try {
      new Stages(build: build).enter(bodies.stages)
    } catch (Failed failure) {
      build.result = 'FAILURE'
      build.error = failure.message
    }
    if (bodies.post) new Post(build: build).enter(bodies.post)
  }
}

abstract class Declarative extends Script {
  void pipeline(Closure body) {
    def pipeline = new Pipeline(build: binding.getVariable('build'))
    pipeline.enter(body)
    pipeline.run()
  }
}

def given = new JsonSlurper().parse(System.in)
def build = new Build(
  env: new LinkedHashMap(given.env),
  credentials: given.credentials,
  workspace: new File(given.workspace),
  runs: given.runs,
)
def settings = new CompilerConfiguration(scriptBaseClass: Declarative.name)
def shell = new GroovyShell(this.class.classLoader, new Binding(build: build), settings)
shell.evaluate(new File(given.file))
println JsonOutput.toJson(build.properties.subMap(['result', 'description', 'error', 'scripts', 'archived']))
