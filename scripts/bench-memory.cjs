// Loaded before a program: writes the most memory it ever had, in kilobytes, to the file named by BENCH_MEMORY.
const { writeFileSync } = require('node:fs')
const process = require('node:process')

process.on('exit', () => writeFileSync(process.env.BENCH_MEMORY, String(process.resourceUsage().maxRSS)))
