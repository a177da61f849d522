import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Words {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly string[];
}

/** A completion script made from the commands themselves, so that it never knows less than `--help`. */
export function completionScript(program: Command, shell: Shell): string {
  const global = optionsOf(program);
  const commands = program.commands.map(
    (command): Words => ({
      name: command.name(),
      summary: command.description(),
      options: [...optionsOf(command), ...global],
    }),
  );
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

function optionsOf(command: Command): string[] {
  return command.options.flatMap(({ long }) => (long ? [long] : []));
}

function bash(commands: readonly Words[]): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words="${options.join(' ')}" ;;`);
  return [
    '# signalbox completion for bash: eval "$(signalbox completion bash)"',
    '_signalbox() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" words="" command="" word',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case "$word" in -*) ;; *) command="$word"; break ;; esac',
    '  done',
    '  case "$command" in',
    `    "") words="${commands.map(({ name }) => name).join(' ')}" ;;`,
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  [ ${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "$current"))',
    '}',
    'complete -F _signalbox signalbox',
    '',
  ].join('\n');
}

function zsh(commands: readonly Words[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const list = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`);
  const cases = commands.map(({ name, options }) => `    ${name}) compadd -- ${options.join(' ')}; _files ;;`);
  return [
    '#compdef signalbox',
    '# signalbox completion for zsh: signalbox completion zsh > "${fpath[1]}/_signalbox"',
    '_signalbox() {',
    '  local -a commands=(',
    ...list,
    '  )',
    '  if (( CURRENT == 2 )); then _describe command commands; return; fi',
    '  case "$words[2]" in',
    ...cases,
    '  esac',
    '}',
    '_signalbox "$@"',
    '',
  ].join('\n');
}

function fish(commands: readonly Words[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return [
    '# signalbox completion for fish: signalbox completion fish | source',
    ...commands.map(
      ({ name, summary }) => `complete -c signalbox -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ),
    ...commands.flatMap(({ name, options }) =>
      options.map((option) => `complete -c signalbox -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`),
    ),
    '',
  ].join('\n');
}
