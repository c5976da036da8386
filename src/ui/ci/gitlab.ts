import type { Ci } from './ci.ts'

const section = 'pictify_keys'

/**
 * GitLab CI. It folds sections; it takes values from a dotenv report, whose file the job names, and has no means to mask a
 * value that is known only now, nor to show a message beside the job.
 */
export function gitlab(): Ci {
  // the name of a section is one of the whole log: a number keeps several of a second apart
  let count = 0
  const marker = (what: 'start' | 'end', at: number) =>
    `\u001b[0Ksection_${what}:${Math.floor(at / 1_000)}:${section}_${count}\r\u001b[0K`
  return {
    name: 'GitLab CI',
    group: {
      open: (title, at) => {
        count += 1
        return `${marker('start', at)}${title}`
      },
      close: (at) => marker('end', at),
    },
  }
}
