import {
  createPrompt,
  isDownKey,
  isEnterKey,
  isTabKey,
  isUpKey,
  makeTheme,
  usePagination,
  usePrefix,
  useKeypress,
  useState,
} from '@inquirer/core'
import figures from '@inquirer/figures'
import { styleText } from 'node:util'
import { paragraph } from './wrapping.ts'

/** One of what is searched. */
interface Item<T> {
  value: T
  name: string
  /** What stands there once it is chosen. */
  short: string
  /** Said of it below the list while the cursor is on it. */
  description?: string | undefined
}

interface SearchConfig<T> {
  message: string
  choices: readonly Item<T>[]
  /** Whether several can be marked, by Tab. */
  many: boolean
  pageSize: number
  /** Of the terminal. */
  columns: number
  theme: {
    style: {
      answer: (text: string) => string
      keysHelpTip: (keys: [key: string, action: string][]) => string
    }
  }
}

/**
 * A list that gets shorter as one types: every word that was typed is in what is left. Enter takes what is marked, or
 * else what the cursor is on.
 */
export const search = createPrompt<unknown[], SearchConfig<unknown>>((config, done) => {
  const { choices, many, pageSize, columns } = config
  const theme = makeTheme({}, config.theme)
  const [status, setStatus] = useState<'idle' | 'done'>('idle')
  const [term, setTerm] = useState('')
  const [active, setActive] = useState(0)
  const [marked, setMarked] = useState<readonly Item<unknown>[]>([])
  const prefix = usePrefix({ status, theme })
  const found = matching(choices, term)
  const current = found[active]

  useKeypress((key, rl) => {
    if (status === 'done') return
    /** Readline keeps a line of its own, which these keys change as they would a shell's. */
    const keepLine = () => {
      rl.clearLine(0)
      rl.write(term)
    }
    if (isEnterKey(key)) {
      const chosen = marked.length > 0 ? marked : current ? [current] : []
      if (chosen.length === 0) return keepLine()
      setMarked(chosen)
      setStatus('done')
      done(chosen.map(({ value }) => value))
    } else if (isTabKey(key)) {
      keepLine()
      if (!many || current === undefined) return
      const without = marked.filter((each) => each !== current)
      setMarked(without.length < marked.length ? without : [...marked, current])
      setActive(Math.min(active + 1, found.length - 1))
    } else if (isUpKey(key) || isDownKey(key)) {
      if (rl.line !== term) keepLine()
      setActive(Math.max(0, Math.min(active + (isUpKey(key) ? -1 : 1), found.length - 1)))
    } else if (rl.line !== term) {
      setTerm(rl.line)
      setActive(0)
    }
  })

  const page = usePagination({
    items: found,
    active: Math.max(0, active),
    renderItem({ item, isActive }) {
      const mark = many
        ? `${marked.includes(item) ? styleText('green', figures.circleFilled) : figures.circle} `
        : ''
      const line = `${isActive ? figures.pointer : ' '} ${mark}${item.name}`
      return isActive ? theme.style.highlight(line) : line
    },
    pageSize,
    loop: false,
  })
  const message = theme.style.message(config.message, status)
  if (status === 'done') {
    return `${prefix} ${message} ${theme.style.answer(marked.map(({ short }) => short).join(', '))}`
  }
  // as the library's own questions say it
  const one: [key: string, action: string][] = [
    ['↑↓', 'navigate'],
    ['⏎', 'select'],
  ]
  const several: typeof one = [
    ['↑↓', 'navigate'],
    ['tab', 'select'],
    ['⏎', 'submit'],
  ]
  const help = theme.style.keysHelpTip(many ? several : one)
  // What is typed stands last: were rows below the cursor, terminals that are made narrower would not agree where it is.
  return [
    `${prefix} ${message}`,
    found.length === 0 ? theme.style.error('nothing matches: press Backspace') : page,
    ...(current?.description === undefined
      ? []
      : paragraph(`  ${current.description}`, columns - 1, 2).map((line) => theme.style.help(line))),
    ...(marked.length > 0 ? [theme.style.help(`  ${marked.length} selected`)] : []),
    help,
    `  ${theme.style.help('search:')} ${term}`,
  ].join('\n')
})

/** What has every word in it; first where the name itself does. */
function matching(choices: readonly Item<unknown>[], term: string): Item<unknown>[] {
  const words = term.toLowerCase().split(/\s+/)
  const has = (text: string) => words.every((word) => text.toLowerCase().includes(word))
  const found = choices.filter(({ name, description = '' }) => has(`${name} ${description}`))
  return [...found.filter(({ short }) => has(short)), ...found.filter(({ short }) => !has(short))]
}
