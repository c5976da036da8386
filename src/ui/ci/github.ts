import type { Ci, Environment } from './ci.ts'

/** GitHub Actions, and what runs its workflows elsewhere. The runner reads commands off both streams. */
export function github(env: Environment): Ci {
  const { GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary } = env
  return {
    name: 'GitHub Actions',
    mask: (value) => `::add-mask::${data(value)}`,
    annotation: (level, message) => `::${level} title=pictify-keys::${data(message)}`,
    group: { open: (title) => `::group::${data(title)}`, close: () => '::endgroup::' },
    output: output ? { file: output, entry: (name, value) => `${name}=${value}` } : undefined,
    summary: summary ? () => ({ file: summary }) : undefined,
  }
}

/** As the runner wants what follows the second `::`. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
