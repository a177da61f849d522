import { join } from 'node:path';

/**
 * Where things lie in the folder that plays a host: the folder stands for `/`. What begins with `lab` is not the host's
 * but the observer's: nothing that runs on a host may read it to decide, so it can testify against all of them.
 */
export function hostPaths(root: string) {
  const at = (...parts: string[]) => join(root, ...parts);
  return {
    root,
    /** The host's own programs; first in its PATH, so that they hide the machine's. */
    bin: at('bin'),
    localBin: at('usr/local/bin'),
    home: at('home'),
    /** In systemd's order of precedence, which decides whether a mask takes effect. */
    unitFolders: [at('etc/systemd/system'), at('run/systemd/system'), at('usr/lib/systemd/system')],
    packagedUnits: at('usr/lib/systemd/system'),
    installedUnits: at('etc/systemd/system'),
    runtimeUnits: at('run/systemd/system'),
    wants: at('etc/systemd/system/multi-user.target.wants'),
    socket: at('run/init.sock'),
    logs: at('var/log'),
    /** The observer's records; a program on the host may only add to them. */
    lab: at('lab'),
    /** One line for each execution of a stand-in that changes something. */
    labMarks: at('lab/marks.jsonl'),
    /** The chain's other validators: its clock, and every signature that was ever seen. */
    labNetwork: at('lab/chain/network.json'),
    labSignatures: at('lab/chain/signatures.jsonl'),
  };
}
export type HostPaths = ReturnType<typeof hostPaths>;

/** PATH of everything that runs on the host: its own programs, then the machine's coreutils. */
export function hostPath(paths: HostPaths): string {
  return [paths.bin, paths.localBin, '/usr/bin', '/bin'].join(':');
}

/** The layout of a chain node's home, as `remesd init` makes it. */
export function nodePaths(home: string) {
  const data = join(home, 'data');
  return {
    home,
    data,
    config: join(home, 'config', 'config.toml'),
    genesis: join(home, 'config', 'genesis.json'),
    key: join(home, 'config', 'priv_validator_key.json'),
    signerState: join(data, 'priv_validator_state.json'),
    /** What the process that has the database open holds a lock on. */
    lock: join(data, 'application.db', 'LOCK'),
    tables: join(data, 'application.db'),
    schema: join(data, 'application.db', 'schema.json'),
    blocks: join(data, 'blockstore.db', '000001.log'),
    height: join(data, 'state.db', 'height.json'),
  };
}
