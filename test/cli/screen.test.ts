import { expect, it } from 'vitest'
import { openScreen } from './screen.ts'
import { createHome } from './program.ts'

it('shows all that a program wrote, however busy whoever reads it was when it ended', async () => {
  const home = await createHome({})
  const text = "process.stdout.write('xäöü\\n'.repeat(4_000) + 'END\\n')"
  for (let time = 0; time < 3; time += 1) {
    const screen = openScreen(home, [], { command: [process.execPath, '-e', text] })
    let isOver = false
    void screen.ended.then(() => (isOver = true))
    while (!isOver) {
      const from = Date.now()
      while (Date.now() - from < 350);
      await new Promise(setImmediate)
    }
    expect(screen.raw()).toBe(`${'xäöü\r\n'.repeat(4_000)}END\r\n`)
  }
  await home.remove()
})
