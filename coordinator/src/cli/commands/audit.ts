import { provenRequests } from '../../record/requests.ts';
import { auditScreen } from '../../screens/audit.ts';
import { durationOf } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

export interface AuditOptions {
  readonly since: string;
  readonly refused?: boolean;
  readonly looks?: boolean;
  readonly by?: string;
  readonly run?: string;
  readonly trust?: readonly string[];
}

/** `signalbox audit`: who has asked coordinators for what, and what became of it. All of it is proven, then some of it shown. */
export async function audit(cli: Cli, options: AuditOptions): Promise<ExitCode> {
  const { since, refused, looks, by, run, trust } = options;
  const client = await cli.mesh();
  const sinceMs = Math.max(0, cli.io.nowMs() - durationOf(since, '--since'));
  const texts: string[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: { texts: string[]; next?: number | undefined } = await client.ask('audit', { sinceMs, from });
    texts.push(...page.texts);
    from = page.next;
  }
  const trusted = trust ?? cli.settings.coordinators;
  const { entries, chains } = provenRequests(texts, (key) => trusted.includes(key));
  const chosen = entries.filter(
    (entry) =>
      (looks === true || entry.lane !== 'looked' || !entry.granted) &&
      (refused !== true || !entry.granted) &&
      (by === undefined || entry.by?.name === by) &&
      (run === undefined || entry.run === run),
  );
  const told = { entries: chosen, chains };
  cli.show({ mesh: client.mesh, ...told }, () => auditScreen(client.mesh, told));
  return EXIT.done;
}
