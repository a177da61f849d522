import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Words {
  /** As it is typed behind the program's name: `wait`, `hosts rotate`. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly commands: readonly string[];
  readonly options: readonly string[];
}

interface Offered {
  readonly program: string;
  readonly top: Words;
  /** Those inside another one come before it. */
  readonly commands: readonly Words[];
}

/** A completion script made from the commands themselves, so that it never knows less than `--help`. */
export function completionScript(program: Command, shell: Shell): string {
  const global = optionsOf(program);
  const wordsOf = (command: Command, path: readonly string[]): Words => ({
    path,
    summary: command.description(),
    commands: command.commands.map((inner) => inner.name()),
    options: [...new Set([...optionsOf(command), ...global])],
  });
  const below = (command: Command, path: readonly string[]): Words[] =>
    command.commands.flatMap((inner) => {
      const to = [...path, inner.name()];
      return [...below(inner, to), wordsOf(inner, to)];
    });
  const offered = { program: program.name(), top: wordsOf(program, []), commands: below(program, []) };
  switch (shell) {
    case 'bash':
      return bash(offered);
    case 'zsh':
      return zsh(offered);
    case 'fish':
      return fish(offered);
  }
}

function optionsOf(command: Command): string[] {
  return command.options.flatMap(({ long }) => (long ? [long] : []));
}

const functionOf = (program: string) => `_${program.replaceAll('-', '_')}`;
const listOf = ({ commands, options }: Words) => [...commands, ...options].join(' ');

function bash({ program, top, commands }: Offered): string {
  const cases = commands.map((words) => `    "${words.path.join(' ')} "*) words="${listOf(words)}" ;;`);
  return [
    `# ${program} completion for bash`,
    `${functionOf(program)}() {`,
    '  local current="${COMP_WORDS[COMP_CWORD]}" words="" command="" word',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case "$word" in -*) ;; *) command="$command$word " ;; esac',
    '  done',
    '  case "$command" in',
    ...cases,
    `    "") words="${listOf(top)}" ;;`,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  [ ${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "$current"))',
    '}',
    `complete -F ${functionOf(program)} ${program}`,
    '',
  ].join('\n');
}

function zsh({ program, top, commands }: Offered): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const first = commands.filter(({ path }) => path.length === 1);
  const list = first.map(({ path, summary }) => `    ${quoted(`${path[0]}:${summary.replaceAll(':', '\\:')}`)}`);
  const cases = commands.map((words) => `    "${words.path.join(' ')} "*) compadd -- ${listOf(words)}; _files ;;`);
  return [
    `#compdef ${program}`,
    `# ${program} completion for zsh`,
    `${functionOf(program)}() {`,
    '  local -a commands=(',
    ...list,
    '  )',
    `  if (( CURRENT == 2 )); then _describe command commands; compadd -- ${top.options.join(' ')}; return; fi`,
    '  case "${words[2,CURRENT-1]} " in',
    ...cases,
    '  esac',
    '}',
    `${functionOf(program)} "$@"`,
    '',
  ].join('\n');
}

function fish({ program, commands }: Offered): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const behind = (path: readonly string[]) =>
    path.length === 0
      ? '__fish_use_subcommand'
      : `'${path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')}'`;
  return [
    `# ${program} completion for fish`,
    ...commands.map(
      ({ path, summary }) =>
        `complete -c ${program} -n ${behind(path.slice(0, -1))} -a ${path.at(-1)} -d ${quoted(summary)}`,
    ),
    ...commands.flatMap(({ path, options }) =>
      options.map((option) => `complete -c ${program} -n ${behind(path)} -l ${option.slice(2)}`),
    ),
    '',
  ].join('\n');
}
