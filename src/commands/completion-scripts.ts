// Each script asks the program itself (`__complete`) what a line can go on with. It hands the line over as data and puts
// what comes back in place as data: nothing of either is evaluated. What goes wrong says nothing: the prompt stays clean.

/** As it is written: of what a template means by a backslash or a brace nothing is meant. */
const script = (texts: TemplateStringsArray) => String.raw(texts).replaceAll('\\${', '${')

const bash = script`# bash completion for pictify-keys
_pictify_keys() {
  local program=$1 line kind=
  local -a candidates=()
  [[ $program == */* && -x $program ]] || program=pictify-keys
  while IFS= read -r line; do
    if [[ -z $kind ]]; then kind=$line; else candidates+=("$line"); fi
  done < <("$program" __complete bash -- "\${COMP_LINE:0:$COMP_POINT}" "$2" 2>/dev/null </dev/null)
  COMPREPLY=(\${candidates[@]+"\${candidates[@]}"})
  type compopt >/dev/null 2>&1 || return 0
  case $kind in
    files) compopt -o default ;;
    nospace) compopt -o nospace ;;
  esac
}
complete -F _pictify_keys pictify-keys
`

const zsh = script`#compdef pictify-keys
_pictify_keys() {
  local program=$words[1] kind
  local -a lines values shown
  [[ $program == */* && -x $program ]] || program=pictify-keys
  lines=("\${(@f)$("$program" __complete zsh -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)}")
  kind=$lines[1]
  shift lines
  if [[ $kind == files ]]; then
    [[ $PREFIX == --*=* ]] && compset -P '--*='
    _files
    return
  fi
  values=("\${(@)lines%%$'\t'*}")
  shown=("\${(@)lines/$'\t'/  -- }")
  if [[ $kind == nospace ]]; then
    compadd -S '' -l -d shown -a values
  else
    compadd -l -d shown -a values
  fi
}
if [[ $funcstack[1] == _pictify_keys || $zsh_eval_context[-1] == loadautofunc ]]; then
  _pictify_keys "$@"
else
  compdef _pictify_keys pictify-keys
fi
`

const fish = script`# fish completion for pictify-keys
function __pictify_keys_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program pictify-keys
    if string match -q '*/*' -- $words[1]; and test -x $words[1]
        set program $words[1]
    end
    set -l lines ($program __complete fish -- $words[2..-1] "$current" 2>/dev/null </dev/null)
    if test "$lines[1]" = files
        set -l flag (string match -r -- '^--[^=]*=' "$current")
        for file in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
            printf '%s%s\n' "$flag" $file
        end
    else
        printf '%s\n' $lines[2..-1]
    end
end
complete -c pictify-keys -f -a '(__pictify_keys_complete)'
`

export const completionScripts = { bash, zsh, fish } as const
