// npm run lab -- up | status | shell HOST | down
import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { Lab } from './lab.ts';
import { ENVIRONMENT } from './lab-host.ts';

const program = new Command('npm run lab --')
  .description('Debian hosts with systemd on this machine, in a network that nothing leaves; as root.')
  .enablePositionalOptions()
  .option('--name <name>', 'one of several labs', 'lab');
const name = () => program.opts<{ name: string }>().name;
const startedMs = performance.now();
const say = (line: string) =>
  process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(6)}s  ${line}\n`);

function running(): Lab {
  const lab = Lab.attach(name());
  return lab ?? program.error(`no lab ${name()} is up; npm run lab -- up`);
}

program
  .command('up')
  .description('makes and boots all hosts, installs the packages of this checkout; a lab of that name is replaced')
  .option('--platform', 'with PostgreSQL and the backend on backend-1, and the dashboard on web-1')
  .action(async ({ platform = false }: { platform?: boolean }) => {
    const lab = await Lab.up({ name: name(), say, platform });
    say(`up: ${lab.hosts.map((host) => `${host.name} ${host.address}`).join(', ')}`);
    say('npm run lab -- shell coord-1, and there: signalbox hosts');
  });
program
  .command('status')
  .description('which hosts run, and how their services are')
  .action(async () => {
    for (const host of running().hosts) {
      const state =
        host.leader === undefined ? 'off' : (await host.exec(['systemctl', 'is-system-running'])).stdout.trim();
      process.stdout.write(`${host.name.padEnd(12)} ${host.address.padEnd(12)} ${state}\n`);
    }
  });
program
  .command('shell <host> [argv...]')
  .description('a shell of root on the host, or one command')
  .passThroughOptions()
  .action(async (host: string, argv: string[]) => {
    const words = argv[0] === '--' ? argv.slice(1) : argv;
    const [file, ...args] = running()
      .host(host)
      .enter(words.length > 0 ? words : ['bash', '--login']);
    const child = spawn(file, args, { stdio: 'inherit', env: { ...ENVIRONMENT, TERM: process.env.TERM } });
    process.exitCode = await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  });
program
  .command('down')
  .description('ends all hosts and removes them; the cached image stays')
  .action(async () => {
    await Lab.remove(name());
    const left = await Lab.remains(name());
    if (left.length > 0) program.error(`down, and left on this machine: ${left.join(', ')}`);
    say('down; nothing is left but the image in the cache');
  });
await program.parseAsync();
