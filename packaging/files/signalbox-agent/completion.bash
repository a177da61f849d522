# bash completion for signalbox-agent
_signalbox_agent() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" words="journal --config --version --help"
  [ "${COMP_WORDS[1]}" = journal ] && words="--config --state --run --json --help"
  case "$previous" in
    --config | --state) COMPREPLY=($(compgen -f -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -F _signalbox_agent signalbox-agent
