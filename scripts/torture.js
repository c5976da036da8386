// Runs the whole of what the quick suite runs a part of, and prints what it counted.
//   npm run test:torture [-- test/crash/kill]   all of it, or what is named
//   npm run test:torture -- --record            all of it, and puts the figures into docs/reliability.md
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const report = fileURLToPath(new URL('../docs/reliability.md', import.meta.url))
const named = process.argv.slice(2).filter((argument) => argument !== '--record')
const isRecorded = process.argv.includes('--record')

const { exit, groups, seconds } = await run(named)
for (const { title, columns, rows } of groups) {
  const table = new Table({ head: columns, style: { head: [], border: [] } })
  table.push(...rows)
  console.log(`\n${title}\n${table.toString()}`)
}
console.log(`\n${seconds} s in all`)
if (isRecorded && exit === 0 && named.length === 0) await record(groups, seconds)
process.exitCode = exit

/** Runs the long suite; what it counted comes back as one table a title. */
async function run(files) {
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-figures-'))
  const gathered = path.join(folder, 'figures.jsonl')
  const began = Date.now()
  const child = spawn(process.execPath, [vitest, 'run', '--config', 'vitest.torture.config.ts', ...files], {
    stdio: 'inherit',
    env: { ...process.env, FIGURES: gathered },
  })
  const exit = await new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)))
  const text = await readFile(gathered, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  await rm(folder, { recursive: true })
  return { exit, groups: groupsOf(text), seconds: Math.round((Date.now() - began) / 1000) }
}

function groupsOf(text) {
  const byTitle = new Map()
  for (const line of text.split('\n').filter(Boolean)) {
    const { title, file, figures } = JSON.parse(line)
    const group = byTitle.get(title) ?? { title, file, all: [] }
    group.all.push(figures)
    byTitle.set(title, group)
  }
  return [...byTitle.values()].map(({ title, file, all }) => {
    const columns = [...new Set(all.flatMap((figures) => Object.keys(figures)))]
    return {
      title,
      file,
      columns,
      rows: all.map((figures) => columns.map((name) => String(figures[name] ?? ''))),
    }
  })
}

/** Replaces what stands between the two marks of the report. */
async function record(groups, seconds) {
  const text = await readFile(report, 'utf8')
  const form = /(<!-- figures: npm run test:torture -- --record -->\n)[^]*(<!-- end of figures -->)/
  if (!form.test(text)) throw new Error(`${report} has no place for the figures`)
  const row = (cells) => `| ${cells.join(' | ')} |`
  const tables = groups.map(({ title, file, columns, rows }) =>
    [`### ${title}\n`, `\`npm run test:torture ${file}\`\n`, row(columns), row(columns.map(() => '---'))]
      .concat(rows.map(row))
      .join('\n'),
  )
  const day = new Date().toISOString().slice(0, 10)
  const head = `Of ${day}, Node ${process.versions.node}, ${seconds} s in all.\n`
  await writeFile(
    report,
    text.replace(form, (_, open, close) => `${open}\n${[head, ...tables].join('\n\n')}\n\n${close}`),
  )
}
