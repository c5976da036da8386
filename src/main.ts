// Rules of this file:
// - process, its streams, its environment and its signals enter the program here and nowhere else;
// - it is the only catch-all: whatever is thrown ends as one error on stderr and one exit code;
// - an interrupted process dies of the signal itself, so that the shell and the script that called it see that;
// - `--version` and `--help` are answered before anything else is loaded.
import { fstatSync, statSync, writeSync } from 'node:fs'
import type * as core from './core.ts'
import type { KeysError as KeysErrorType } from './errors.ts'

/** Put in by the build. */
declare const PICTIFY_KEYS_VERSION: string
/** The answer to `--help`, made by the build from the same commander; empty where nothing was built. */
declare const PICTIFY_KEYS_HELP: string

type Core = typeof core
type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** Runs the command line of this process and ends it. */
export async function main(): Promise<void> {
  const argv = process.argv.slice(2)
  const answer = argv.length > 1 ? undefined : knownAnswer(argv[0])
  if (answer !== undefined) {
    writeAtOnce(answer)
    return
  }
  await run(await import('./core.ts'), argv)
}

function knownAnswer(argument: string | undefined): string | undefined {
  if (argument === '--version' || argument === '-V') return `${PICTIFY_KEYS_VERSION}\n`
  const help = argument === undefined || argument === '--help' || argument === '-h'
  return help && PICTIFY_KEYS_HELP !== '' && !isNarrow() ? PICTIFY_KEYS_HELP : undefined
}

/** What the build made is for 80 columns. Asking a terminal for its width costs time, so nothing else is asked. */
function isNarrow(): boolean {
  const stdout = fstatSync(1)
  return (
    stdout.isCharacterDevice() &&
    stdout.rdev !== statSync('/dev/null', { throwIfNoEntry: false })?.rdev &&
    process.stdout.columns < 80
  )
}

/** Opening process.stdout takes longer than all else that is done for `--version`. */
function writeAtOnce(text: string): void {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest))
  } catch (error) {
    // a reader that has gone (`| head`) misses nothing; one that is slow (EAGAIN) is waited for
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return
    process.stdout.on('error', () => (process.exitCode = 1))
    process.stdout.write(rest)
  }
}

async function run(core: Core, argv: string[]): Promise<void> {
  const { stdout, stderr } = process
  const env = takeEnvironment()
  const typed = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  const open = async (globals: Record<'json' | 'quiet' | 'debug' | 'noColor' | 'plain', boolean>) =>
    core.createOutput({
      ...globals,
      stdout,
      stderr,
      env,
      // asked of the descriptor: opening stdin costs time, and most commands never read it
      canAsk: core.isatty(0),
      ci: await core.detectCi(env, () => fstatSync(2).isFile()),
      now: () => core.systemClock.now(),
      paint: await core.paintFor({ stdout, stderr }, env, globals.noColor),
    })
  // Until the command line is read, an error is told as it most likely asks for.
  let out = await open({
    json: typed.includes('--json'),
    quiet: false,
    debug: typed.includes('--debug'),
    noColor: typed.includes('--no-color'),
    plain: false,
  })
  const interruptions = listen(core)
  let failed: unknown
  const onStray = (error: unknown) => void finish(core, out, interruptions.signalled, error)
  process.on('uncaughtException', onStray).on('unhandledRejection', onStray)
  process.on('beforeExit', onIdle(core, interruptions.abort, onStray))
  // Stopped (Ctrl-Z), it leaves the terminal to the shell as that expects it.
  const stops = new Set([() => out.rest()])
  process.on('SIGTSTP', () => {
    const goOn = [...stops].map((stop) => stop())
    process.once('SIGCONT', () => goOn.forEach((each) => each()))
    process.kill(process.pid, 'SIGSTOP')
  })
  // What a library advises whoever runs Node, Node would print as it is: stderr is what we say, or JSON.
  process.removeAllListeners('warning').on('warning', ({ name, message }) => {
    if (message.includes('NODE_TLS_REJECT_UNAUTHORIZED')) out.warn(message)
    else out.debug(`${name}: ${message}`)
  })
  try {
    const parsed = await core.parse(argv, env, stdout.columns)
    if (parsed.kind === 'version') stdout.write(`${PICTIFY_KEYS_VERSION}\n`)
    else if (parsed.kind === 'help') stdout.write(parsed.text)
    else {
      out = await open(parsed.globals)
      const context = core.createContext({
        globals: parsed.globals,
        env,
        cwd: workingFolder(core),
        stdin: () => process.stdin,
        stderr,
        out,
        clock: core.systemClock,
        signal: interruptions.signal,
        onInterrupt: interruptions.onInterrupt,
        onCtrlC: interruptions.onCtrlC,
        onStop(stop) {
          stops.add(stop)
          return () => void stops.delete(stop)
        },
        version: PICTIFY_KEYS_VERSION,
        asksNobody: parsed.command.asksNobody === true,
        process: {
          pid: process.pid,
          execPath: process.execPath,
          platform: process.platform,
          program: process.argv[1] ?? '',
          nodeVersion: process.versions.node,
          signal0: (pid) => void process.kill(pid, 0),
        },
        folders: () => core.systemFolders(),
      })
      await parsed.command.run(context, parsed.inputs as never)
    }
    await out.flush()
  } catch (error) {
    failed = error
  }
  await finish(core, out, interruptions.signalled, failed)
}

/**
 * A copy of the environment, and no secret left in the real one: a diagnostic report that Node writes of this process
 * holds all of that, and a child that a library starts would get it.
 */
function takeEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const [name, value] of Object.entries(env)) {
    const isSecret = /^PICTIFY_(?:ADMIN_KEY|KEYS_SIGN_(?:KEY|PASSPHRASE))$/.test(name)
    if (isSecret || /pk_(?:live|test)_/.test(value ?? '')) delete process.env[name]
  }
  return env
}

function workingFolder(core: Core): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new core.KeysError('usage', 'the folder this runs in does not exist any more', {
      hint: 'change to one that does',
      cause,
    })
  }
}

type Out = ReturnType<Core['createOutput']>

/** Tells the error, if there is one, and ends the process. */
async function finish(
  core: Core,
  out: Out,
  signalled: () => Signal | undefined,
  failed: unknown,
): Promise<never> {
  let exit: number = core.Exit.done
  let signal = signalled()
  if (failed !== undefined && !(failed instanceof core.ReaderGone)) {
    const error = toKeysError(core, failed, signal !== undefined)
    if (error.code === 'interrupted') signal ??= 'SIGINT'
    exit = error.exit
    // a person who says no knows why; a program is told as of any other end
    if (error.code === 'not-confirmed' && !out.json) out.show(error.message)
    else if (!(error instanceof core.ToldError)) out.error(error)
    for (let cause: unknown = failed; cause instanceof Error; cause = cause.cause)
      out.debug(cause.stack ?? cause.message)
  }
  await out.flush().catch((error: unknown) => {
    // a reader that has gone is no failure; a full disk is, and there is nowhere left to say more than the code
    if (!(error instanceof core.ReaderGone)) exit ||= core.Exit.failed
  })
  if (signal !== undefined) dieOf(signal)
  process.exit(exit)
}

/** An error of ours as it is; anything else is an interruption, or a fault of this program. */
function toKeysError(core: Core, error: unknown, interrupted: boolean): KeysErrorType {
  if (error instanceof core.KeysError) return error
  if (interrupted) return new core.KeysError('interrupted', 'interrupted', { cause: error })
  const message = error instanceof Error ? error.message : String(error)
  return new core.KeysError('internal', `something unforeseen went wrong: ${message}`, {
    hint: 'this is a fault of pictify-keys: run the command again with --debug and report what it says',
    cause: error,
  })
}

/**
 * Node ends with 0 when there is nothing left to wait for, as when a terminal's input ends (Ctrl-D) at a question:
 * what waits for ever is interrupted, and where that helps nothing the process says so.
 */
function onIdle(core: Core, abort: (reason: KeysErrorType) => void, onStray: (error: unknown) => void) {
  const reason = new core.KeysError('interrupted', 'the input ended before the work was done')
  let isFirst = true
  return () => {
    if (!isFirst) return onStray(reason)
    isFirst = false
    abort(reason)
    // a turn more of the loop, for whoever was interrupted
    setImmediate(() => {})
  }
}

function listen(core: Core) {
  const listeners = new Set<(signal: Signal, count: number) => void>()
  const controller = new AbortController()
  let first: Signal | undefined
  let count = 0
  let lastAt = -Infinity
  const onSignal = (signal: Signal) => {
    // A library that has listeners of its own sends the signal on to this very process: that is not a second one.
    const at = performance.now()
    if (at - lastAt < 50) return
    lastAt = at
    interrupt(signal)
  }
  const interrupt = (signal: Signal) => {
    first ??= signal
    count += 1
    for (const listener of listeners) listener(signal, count)
    if (count === 1) controller.abort(new core.KeysError('interrupted', 'interrupted'))
    // whoever listens may need two to undo its work; nobody needs three
    else if (listeners.size === 0 || count > 2) dieOf(signal)
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal)
  return {
    signal: controller.signal,
    abort: (reason: KeysErrorType) => controller.abort(reason),
    signalled: () => first,
    /** At a question Ctrl-C is a key, and ends that; whoever counts signals counts it too. */
    onCtrlC: (times: number) => {
      for (; times > 0 && listeners.size > 0; times -= 1) interrupt('SIGINT')
    },
    onInterrupt: (listener: (signal: Signal, count: number) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

const signalNumbers: Record<Signal, number> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }

/** With its listeners gone a signal does what it does to any process but the first one of a container. */
function dieOf(signal: Signal): never {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  process.exit(128 + signalNumbers[signal])
}
