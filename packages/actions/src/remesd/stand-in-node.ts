import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { SignerState } from '@signalbox/protocol/readings';
import { LocalHost, StandInUnits, type UnitProperties } from '@signalbox/protocol/testing';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

export const UNIT = 'remesd.service';

/** For tests: a host with the files of a stopped node, and a unit that names them. */
export class StandInNode implements AsyncDisposable {
  readonly host: LocalHost;
  readonly units: StandInUnits;
  readonly home: string;

  private constructor(host: LocalHost, units: StandInUnits) {
    this.host = host;
    this.units = units;
    this.home = host.file('remes', '.remesd');
  }

  static async create(): Promise<StandInNode> {
    const host = await LocalHost.create();
    const node = new StandInNode(host, await new StandInUnits(host).install());
    await node.unit({});
    await mkdir(`${node.home}/data/application.db`, { recursive: true });
    await writeFile(`${node.home}/data/application.db/LOCK`, '');
    await writeFile(`${node.home}/data/application.db/000001.ldb`, 'old tables');
    await node.sign(1_200);
    return node;
  }

  /** The unit as systemd shows it; what it starts is in `opt/remesd` of this host. */
  async unit(properties: UnitProperties, home: string | undefined = this.home): Promise<void> {
    const target = this.host.file('opt', 'remesd');
    const argv = `${target} start${home === '' ? '' : ` --home ${home}`}`;
    const ExecStart = `{ path=${target} ; argv[]=${argv} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }`;
    await this.units.add(UNIT, { ExecStart, ...properties });
  }

  /** What a running node of a new release does: it rewrites its tables and signs on. */
  async runNewRelease(height: number | string): Promise<void> {
    await writeFile(`${this.home}/data/application.db/000001.ldb`, 'tables that the old release cannot read');
    await writeFile(`${this.home}/data/application.db/000002.ldb`, 'more');
    await this.sign(height);
  }

  async sign(height: number | string, data = 'data'): Promise<void> {
    const state = { height: String(height), round: 0, step: 3, signature: `signature of ${height}` };
    await writeFile(`${this.home}/${data}/priv_validator_state.json`, JSON.stringify(state), { mode: 0o600 });
  }

  async signed(data = 'data'): Promise<SignerState & { signature: string }> {
    return JSON.parse(await readFile(`${this.home}/${data}/priv_validator_state.json`, 'utf8'));
  }

  tables(data = 'data'): Promise<string> {
    return readFile(`${this.home}/${data}/application.db/000001.ldb`, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}

export function actionNamed(name: string): Required<Action> {
  const found = actionByName.get(name);
  if (!found?.undo) throw new Error(`no action ${name} with an undo`);
  return found as Required<Action>;
}
