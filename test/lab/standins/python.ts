// `python` of a virtual environment in the lab: only `-m pip` and `--version`.
import { main as pip } from './pip.ts';

export function main(root: string, venv: string): void {
  const argv = process.argv.slice(2);
  if (argv[0] === '-m' && argv[1] === 'pip') pip(root, venv, argv.slice(2));
  else if (argv[0] === '--version' || argv[0] === '-V') process.stdout.write('Python 3.11.2\n');
  else {
    process.stderr.write(`the lab's python cannot run: ${argv.join(' ')}\n`);
    process.exitCode = 1;
  }
}
