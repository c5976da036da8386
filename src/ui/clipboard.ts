// Rules of this file:
// - a secret goes to a clipboard program on its standard input, never among its arguments;
// - of a machine that is worked on from afar the clipboard is nobody's: there it is the terminal's (OSC 52), or none;
// - what a terminal was sent is not known to have arrived, and is never said to have;
// - no program is waited for without a limit. (A library for this has none, and brings programs that no bundle can hold.)
import { runChild } from '../child.ts'
import type { Secret } from '../secret.ts'

export interface Clipboard {
  /** Whether a program of this machine can take it, whose answer is known. */
  hasProgram(): Promise<boolean>
  /** Whether the terminal may take it, which cannot be known. */
  readonly hasTerminal: boolean
  /** Puts it there; resolves to how that was done, undefined where it could not be. */
  copy(secret: Secret): Promise<Copied | undefined>
  /** As `copy`, by a program of this machine alone: nothing is sent to a terminal. */
  copySurely(secret: Secret): Promise<Copied | undefined>
}

export interface Copied {
  /** The program, or `the terminal`. */
  by: string
  /** Whether it is known to be there. */
  isSure: boolean
}

export interface ClipboardOptions {
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  platform: NodeJS.Platform
  /** To the terminal, as it is. */
  write: (text: string) => void
}

const limitMs = 3_000

interface Program {
  name: string
  /** For the shell. What stays in the background to hold the selection must not hold our pipes. */
  command: string
  isSure: boolean
}

export function createClipboard({ env, cwd, platform, write }: ClipboardOptions): Clipboard {
  const programs = programsFor(env, platform)
  const run = async (command: string, input?: string) => {
    try {
      const { exitCode } = await runChild({
        command,
        cwd,
        env: ownEnvironment(env),
        input,
        timeoutMs: limitMs,
      })
      return exitCode === 0
    } catch {
      // that it cannot be started is one more way of not being there
      return false
    }
  }
  const isThere = ({ name }: Program) => run(platform === 'win32' ? `where ${name}` : `command -v ${name}`)
  const sure = programs.filter(({ isSure }) => isSure)
  const copyBy = async (candidates: readonly Program[], secret: Secret): Promise<Copied | undefined> => {
    for (const { name, command, isSure } of candidates)
      if (await run(command, secret.reveal())) return { by: name, isSure }
    return undefined
  }
  // a terminal that knows no such sequence may show it
  const hasTerminal = !['', 'dumb', 'linux', 'unknown'].includes(env['TERM'] ?? '')

  return {
    hasTerminal,

    async hasProgram() {
      for (const program of sure) if (await isThere(program)) return true
      return false
    },

    copySurely: (secret) => copyBy(sure, secret),

    async copy(secret) {
      const copied = await copyBy(programs, secret)
      if (copied !== undefined || !hasTerminal) return copied
      write(osc52(secret.reveal(), env))
      return { by: 'the terminal', isSure: false }
    },
  }
}

/** The programs that may be there, in the order in which they are tried. */
function programsFor(env: ClipboardOptions['env'], platform: NodeJS.Platform): Program[] {
  const has = (name: string) => (env[name] ?? '') !== ''
  const sure = (name: string, command: string): Program => ({ name, command, isSure: true })
  const isAfar = has('SSH_CONNECTION') || has('SSH_TTY')
  const own = [
    ...(platform === 'darwin' ? [sure('pbcopy', 'pbcopy')] : []),
    ...(platform === 'win32' ? [sure('clip', 'clip')] : []),
    ...(has('WSL_DISTRO_NAME') ? [sure('clip.exe', 'clip.exe')] : []),
    ...(has('TERMUX_VERSION') ? [sure('termux-clipboard-set', 'termux-clipboard-set')] : []),
    // a newer one is told that it is a password, so that no history keeps it
    ...(has('WAYLAND_DISPLAY')
      ? [sure('wl-copy', '{ wl-copy --sensitive || wl-copy; } >/dev/null 2>&1')]
      : []),
    ...(has('DISPLAY')
      ? [
          sure('xclip', 'xclip -selection clipboard >/dev/null 2>&1'),
          sure('xsel', 'xsel --clipboard --input >/dev/null 2>&1'),
        ]
      : []),
  ]
  // tmux hands it to the terminal it runs in, whatever it makes of what a program inside it sends; its own copy goes
  const tmux = {
    name: 'the terminal, by tmux',
    command: 'tmux load-buffer -w -b pictify-keys - && tmux delete-buffer -b pictify-keys',
    isSure: false,
  }
  return [...(isAfar ? [] : own), ...(has('TMUX') ? [tmux] : [])]
}

/**
 * The sequence that asks a terminal to take a text into its clipboard. What multiplexes terminals passes it on when it is
 * wrapped: tmux where `allow-passthrough` is on (plain where `set-clipboard` is), GNU screen always.
 */
export function osc52(text: string, env: ClipboardOptions['env']): string {
  const sequence = `\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`
  if ((env['TMUX'] ?? '') !== '') {
    return `${sequence}\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\`
  }
  if ((env['STY'] ?? '') !== '') return `\x1bP${sequence}\x1b\\`
  return sequence
}

/** Without what a clipboard program has no business to know. */
function ownEnvironment(env: ClipboardOptions['env']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) =>
        !/^PICTIFY_(?:ADMIN_KEY|KEYS_SIGN_(?:KEY|PASSPHRASE))$/.test(name) &&
        !/pk_(?:live|test)_/.test(value ?? ''),
    ),
  )
}
