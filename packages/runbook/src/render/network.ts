import {
  Endpoint,
  type GateTarget,
  isJsonObject,
  type Plan,
  REACH_PROBE,
  type Reached,
  reachedIn,
  reachedText,
  reachTable,
} from '@signalbox/protocol';
import { walk } from './words.ts';

/** What one host connects to, and what it found when the plan was made. */
export interface Links {
  readonly host: string;
  /** In the words of `neededBy`. */
  readonly as: string | undefined;
  readonly endpoints: readonly Endpoint[];
  readonly reached: readonly Reached[];
}

/** The connections that a plan asks about with `net.reach`; of others it knows secrets that hold their addresses. */
export function linksOf(plan: Plan): Links[] {
  const links: Links[] = [];
  walk(plan.steps, (step) => {
    if ((step.kind !== 'gate' && step.kind !== 'record') || step.probe !== REACH_PROBE) return;
    for (const target of step.targets) {
      const asked = wishesOf(target);
      // A record and a gate of the same are one line each in the steps, and one in the drawing.
      if (links.some((link) => link.host === target.host && sameAs(link.endpoints, asked.endpoints))) continue;
      const seen = plan.observed.find((o) => o.step === step.id && o.host === target.host)?.seen ?? {};
      links.push({ host: target.host, ...asked, reached: reachedIn(seen) });
    }
  });
  return links;
}

const sameAs = (a: readonly Endpoint[], b: readonly Endpoint[]) => JSON.stringify(a) === JSON.stringify(b);

function wishesOf({ with: input }: Pick<GateTarget, 'with'>): Pick<Links, 'as' | 'endpoints'> {
  const { endpoints, as } = isJsonObject(input) ? input : {};
  return {
    as: typeof as === 'string' ? as : undefined,
    endpoints: Endpoint.array().safeParse(endpoints).data ?? [],
  };
}

/** The network as text: each host with a line to each system that it needs, and to those that it was only asked about. */
export function networkDrawing(links: readonly Links[]): string[] {
  const all = links.flatMap(({ endpoints }) => endpoints);
  const [names, addresses] = [all.map(({ name }) => name), all.map(placeOf)].map((texts) =>
    Math.max(0, ...texts.map((text) => text.length)),
  ) as [number, number];
  return links.flatMap(({ host, as, endpoints, reached }) => [
    `[${host}]${as === undefined ? '' : ` ${as}`}`,
    ...endpoints.map((endpoint) => {
      const found = reached.find(({ name }) => name === endpoint.name);
      const line = found?.needed === false ? '  +- - ->' : '  +----->';
      const said = found ? reachedText(found) : 'not asked';
      return `${line} ${endpoint.name.padEnd(names)}  ${placeOf(endpoint).padEnd(addresses)}  ${said}`;
    }),
  ]);
}

const placeOf = ({ address, tls = false }: Endpoint) => `${address}${tls ? ' TLS' : ''}`;

/** Hosts and systems as one table; empty when nobody was asked. */
export function networkTable(links: readonly Links[]): string[][] {
  return reachTable(links.filter(({ reached }) => reached.length > 0));
}
