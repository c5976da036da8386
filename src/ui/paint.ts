/** Text in colour; every function gives its text back as it is where colour is not wanted. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  yellow(text: string): string
  green(text: string): string
  cyan(text: string): string
}

const asItIs = (text: string) => text

export const plain: Paint = {
  bold: asItIs,
  dim: asItIs,
  red: asItIs,
  yellow: asItIs,
  green: asItIs,
  cyan: asItIs,
}

/**
 * Whether a stream gets colour: `--no-color` and `NO_COLOR` forbid it, `FORCE_COLOR` (but for 0 and false) asks for
 * it, else it takes a terminal that is not dumb.
 */
export function wantsColour(
  stream: { isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
  noColor: boolean,
): boolean {
  if (noColor || (env['NO_COLOR'] ?? '') !== '') return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** The colours of both streams; chalk is loaded only where one of them gets any. */
export async function paintFor(
  streams: { stdout: { isTTY?: boolean | undefined }; stderr: { isTTY?: boolean | undefined } },
  env: Readonly<Record<string, string | undefined>>,
  noColor: boolean,
): Promise<{ stdout: Paint; stderr: Paint }> {
  const stdout = wantsColour(streams.stdout, env, noColor)
  const stderr = wantsColour(streams.stderr, env, noColor)
  if (!stdout && !stderr) return { stdout: plain, stderr: plain }
  const { colours } = await import('./colours.ts')
  return { stdout: stdout ? colours : plain, stderr: stderr ? colours : plain }
}
