import { testTerminalSafety } from './terminal-cases.ts'

testTerminalSafety({ whole: false })
