// `python` of a virtual environment in the lab: `-m pip`, `--version`, and what asks for the metadata of a package.
import { main as pip } from './pip.ts';
import { installed, metadataOf, normalise } from './venv.ts';

export function main(root: string, venv: string): void {
  const argv = process.argv.slice(2);
  if (argv[0] === '-m' && argv[1] === 'pip') pip(root, venv, argv.slice(2));
  else if (argv.at(-2)?.includes('importlib.metadata')) metadata(venv, argv.at(-1) ?? '');
  else if (argv[0] === '--version' || argv[0] === '-V') process.stdout.write('Python 3.11.2\n');
  else {
    process.stderr.write(`the lab's python cannot run: ${argv.join(' ')}\n`);
    process.exitCode = 1;
  }
}

/** As importlib.metadata.distribution: version and folder, or an exception. */
function metadata(venv: string, name: string): void {
  const found = installed(venv).find((distribution) => distribution.name === normalise(name));
  if (found) process.stdout.write(`${JSON.stringify({ version: found.version, folder: metadataOf(venv, found) })}\n`);
  else {
    process.stderr.write(`importlib.metadata.PackageNotFoundError: No package metadata was found for ${name}\n`);
    process.exitCode = 1;
  }
}
