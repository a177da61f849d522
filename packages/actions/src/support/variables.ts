import { z } from 'zod';

/**
 * Variables that change which code a program loads or where it takes its orders from: the dynamic linker's (ld.so(8)),
 * those of shells, interpreters, git, pip and ssh. Whoever may set one of them may run anything as the program's user.
 */
const LOADERS = [
  ...['LD_', 'DYLD_', 'GCONV_', 'GLIBC_', 'GIT_', 'PIP_', 'SSH_', 'SYSTEMD_', 'SIGNALBOX_', 'npm_', 'NPM_'].map(
    (p) => `${p}.*`,
  ),
  ...['PATH', 'HOME', 'SHELL', 'ENV', 'IFS', 'PS4', 'BASH_ENV', 'BASH_FUNC.*', 'SHELLOPTS', 'BASHOPTS', 'ZDOTDIR'],
  ...['PYTHON(?:PATH|HOME|STARTUP|INSPECT|USERBASE|BREAKPOINT|WARNINGS|EXECUTABLE|PLATLIBDIR)'],
  ...['PERL5?(?:OPT|LIB|DB)', 'RUBY(?:OPT|LIB)', 'NODE_(?:OPTIONS|PATH)', 'CLASSPATH'],
  ...['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS', 'EDITOR', 'VISUAL', 'PAGER', 'LESSOPEN'],
];

/** The name of a variable that a runbook may set. */
export const VariableName = z
  .string()
  .regex(
    new RegExp(`^(?!(?:${LOADERS.join('|')})$)[A-Za-z_][A-Za-z0-9_]*$`),
    'a variable that does not change which code programs load (LD_*, GIT_*, PIP_*, PATH and their like do)',
  );
