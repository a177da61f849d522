import { expect, it } from 'vitest';
import { accounts } from './accounts.ts';

const HEAD = `# Permissions in NATS

Made from \`packages/bus/src/accounts.ts\`; a test fails when they differ. As nats-server reads it, for mesh \`MESH\` with one user of each
kind: put the public keys in the place of \`U...\`, and one agent for each host in the place of \`HOST\`. What it means: [bus.md](bus.md); what a NATS with
JWTs wants: [the guide](../guides/security.md).

\`\`\`json
`;

it('what a NATS must be told is written down as it is', async () => {
  const user = (name: string, publicKey: string) => [{ name, publicKey }];
  const users = {
    core: user('coordinator', 'U...COORDINATOR'),
    agents: user('HOST', 'U...HOST'),
    operators: user('operator', 'U...OPERATOR'),
    monitors: user('monitor', 'U...MONITOR'),
  };
  const text = JSON.stringify(accounts('MESH', users), null, 2);
  await expect(`${HEAD}${text}\n\`\`\`\n`).toMatchFileSnapshot('../../../docs/reference/permissions.md');
});
