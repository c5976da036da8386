import { defineCommand } from './command.ts'
import { completionScripts } from './completion-scripts.ts'

export const completion = defineCommand({
  name: 'completion',
  summary: 'print the script that lets a shell complete commands, flags and keys',
  args: [{ name: 'shell', summary: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] }],
  examples: [
    'pictify-keys completion bash > ~/.local/share/bash-completion/completions/pictify-keys',
    'pictify-keys completion zsh > "${fpath[1]}/_pictify-keys"',
    'pictify-keys completion fish > ~/.config/fish/completions/pictify-keys.fish',
    'source <(pictify-keys completion bash)',
  ],

  async run({ out }, { shell }) {
    const script = completionScripts[shell]
    if (out.json) return out.result({ completion: { shell, script } }, () => script)
    // as it is: it is a file of its own
    await out.lines(script.trimEnd().split('\n'))
  },
})
