import { Resolver } from 'node:dns/promises';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

const EVERY_MS = 20;

export interface Users {
  /** How many answers came from where: `source` or `destination`. */
  readonly answers: ReadonlyMap<string, number>;
  /** What users would call about. */
  readonly failures: readonly string[];
  leave(): Promise<void>;
}

export interface UsersOptions {
  readonly name: string;
  readonly port: number;
  /** One user for each: the resolver that this one asks. The others are asked when that one is gone for a moment. */
  readonly resolvers: readonly string[];
}

/** People who use a service by its name the whole time, each request on a connection of its own. */
export function startUsers({ name, port, resolvers }: UsersOptions): Users {
  const answers = new Map<string, number>();
  const failures: string[] = [];
  let on = true;
  const one = async (server: string) => {
    const resolver = new Resolver({ timeout: 500, tries: 6 });
    resolver.setServers([server, ...resolvers.filter((other) => other !== server)]);
    while (on) {
      try {
        const [address = ''] = await resolver.resolve4(name);
        const side = await ask(address, port);
        answers.set(side, (answers.get(side) ?? 0) + 1);
      } catch (error) {
        failures.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  };
  const all = Promise.all(resolvers.map(one));
  const leave = async () => {
    on = false;
    await all;
  };
  return { answers, failures, leave };
}

/** @returns where the service ran. @throws Error when it did not answer, answered with an error, or is led to other data */
async function ask(host: string, port: number): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host, port, path: '/orders', agent: false }, resolve).once('error', reject);
  });
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`${host} answered with ${response.statusCode}`);
  const { side, data } = JSON.parse(body);
  if (data !== 'mongodb://source/') throw new Error(`${host} is led to ${data}`);
  return side;
}
