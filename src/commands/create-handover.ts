// Rules of this file:
// - what becomes of a secret is settled before there is one: a key is not made for a secret that nobody could be given;
// - into a terminal's scrollback a secret goes only when that was asked for.
import type { KeyType } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { hasCode, KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { oneLine } from '../ui/text.ts'

/** What is known of a key whose secret is handed over. */
export interface Created {
  name: string
  type: KeyType
  id: string | undefined
  secret: Secret
  snippet: string | undefined
}

/** Gives a person the secret, where it is no data; resolves to a sentence on how. */
export type Handover = (created: Created) => Promise<string>

/**
 * How the secret of a key that is about to be made is handed over; undefined where it is data on stdout. Throws
 * `needs-answer` where stdout is a terminal with nobody before it, `usage` where the person does not want it.
 */
export async function planHandover(context: Context, print: boolean): Promise<Handover | undefined> {
  const { out, prompt } = context
  if (print || !out.toTerminal) return undefined
  if (!out.interactive) {
    throw new KeysError(
      'needs-answer',
      'the secret would stay on this terminal, and there is nobody to ask',
      {
        hint: 'give --print to print it all the same or --to to have it delivered, or send stdout into a pipe or a file',
      },
    )
  }
  if (out.live !== undefined) return (created) => onScreen(context, created)
  const { clipboard } = await context.secretScreen()
  const isPrinted =
    !(await clipboard.hasProgram()) ||
    (await prompt.select(
      'The secret is shown once. Where is it to go?',
      [
        { name: 'to the clipboard', value: false },
        { name: 'to this terminal, whose scrollback keeps it', value: true },
      ],
      '--print or --to',
    ))
  if (!isPrinted) return (created) => toClipboard(context, created)
  await prompt.confirm('The secret will stay in the scrollback of this terminal. Print it there?', '--print')
  return undefined
}

async function onScreen(context: Context, created: Created): Promise<string> {
  const screen = await context.secretScreen()
  const { copiedWords } = await import('../ui/secret-screen.ts')
  const reference = created.id ?? 'the key'
  const left = await screen.show({
    title: oneLine(
      `created ${described(created)}, a ${created.type} key; this is its secret, shown this once:`,
    ),
    secret: created.secret,
    notes: [
      'An application is given it as PICTIFY_API_KEY in its environment.',
      ...(created.snippet === undefined
        ? [
            oneLine(
              `How, by language: pictify-keys show ${reference} --snippet node (python, go, ruby, curl, …)`,
            ),
          ]
        : []),
    ],
    snippet: created.snippet,
  })
  if (left.isInterrupted) throw interrupted(created)
  const what = left.copied === undefined ? 'shown, and is kept nowhere' : copiedWords(left.copied)
  return `created ${described(created)}; its secret was ${what}`
}

async function toClipboard(context: Context, created: Created): Promise<string> {
  const { out, prompt } = context
  const { clipboard } = await context.secretScreen()
  const copied = await clipboard.copySurely(created.secret)
  if (copied !== undefined)
    return `created ${described(created)}; its secret was copied to the clipboard by ${copied.by}`
  out.warn(`${described(created)} was created, but its secret could not be copied`)
  const isPrinted = await ask()
  if (!isPrinted) {
    throw new KeysError(
      'output-failed',
      `${described(created)} was created, and its secret is kept nowhere`,
      {
        hint: `${removal(created)}, and create it again with --print or --to`,
      },
    )
  }
  await out.line(created.secret.reveal())
  return `created ${described(created)}; its secret was printed, and is in the scrollback of this terminal`

  async function ask(): Promise<boolean> {
    try {
      return await prompt.select(
        'It cannot be had again. Where is it to go?',
        [
          { name: 'to this terminal, whose scrollback keeps it', value: true },
          { name: 'nowhere', value: false },
        ],
        '--print or --to',
      )
    } catch (error) {
      throw hasCode(error, 'interrupted') ? interrupted(created) : error
    }
  }
}

function interrupted(created: Created): KeysError {
  return new KeysError(
    'interrupted',
    `${described(created)} was created and works; its secret is kept nowhere`,
    {
      hint: `if you did not take it down: ${removal(created)}`,
    },
  )
}

function described({ name, id }: Created): string {
  return id === undefined ? name : `${name} (${id})`
}

function removal({ id }: Created): string {
  return id === undefined
    ? 'see pictify-keys list for the key, and delete it'
    : `pictify-keys delete ${id} --revoke`
}
