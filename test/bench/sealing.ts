import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { Command, commandId, Envelope } from '@signalbox/protocol';
import { createKeyPair, open, seal } from '@signalbox/protocol/crypto';
import { medianMs, type Row } from './figures.ts';

const TIMES = 500;

/** What it costs to sign a command and to believe it, beside the bare signature over as many bytes. */
export async function sealing(): Promise<Row[]> {
  const signer = createKeyPair();
  const command = plainCommand();
  const sealed = seal('command', command, signer);
  const trusts = (key: string) => key === signer.publicKey;

  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = createPublicKey(privateKey);
  const bytes = Buffer.from(JSON.stringify(command));
  const signature = sign(null, bytes, privateKey);
  const signed = await medianMs(TIMES, () =>
    open(seal('command', command, signer), { kind: 'command', schema: Command, trusts }),
  );
  const bare = await medianMs(TIMES, () => unsigned(command));
  return [
    { what: 'a command, sealed and opened', unit: 'ms', value: signed, floor: bare },
    { what: 'what signing and verifying add to it', unit: 'ms', value: signed - bare, target: { value: 0.5 } },
    {
      what: 'seal a command',
      unit: 'ms',
      value: await medianMs(TIMES, () => seal('command', command, signer)),
      floor: await medianMs(TIMES, () => sign(null, bytes, privateKey)),
    },
    {
      what: 'open a command: verify and parse',
      unit: 'ms',
      value: await medianMs(TIMES, () => open(sealed, { kind: 'command', schema: Command, trusts })),
      floor: await medianMs(TIMES, () => verify(null, bytes, publicKey, signature)),
    },
  ];
}

export function plainCommand(): Command {
  const of = { run: 'bench-1', step: 'nothing-1', host: 'box', direction: 'do', attempt: 1 } as const;
  return {
    ...of,
    id: commandId(of),
    mesh: 'bench',
    epoch: 1,
    nonce: 'n',
    head: { sequence: 1, hash: '0'.repeat(64) },
    journal: 'j',
    machine: 'm',
    sentAtMs: 0,
    planHash: '0'.repeat(64),
    notAfterMs: 0,
    timeoutMs: 0,
    action: 'exec.run',
    version: 1,
    with: { argv: ['true'], effect: 'read' },
  };
}

/** The way of a command from one side to the other as it would be if nobody signed it: the same texts, the same checks of shape. */
export function unsigned(command: Command): Command {
  const sent = Buffer.from(JSON.stringify({ v: 1, kind: 'command', payload: JSON.stringify(command), signatures: [] }));
  const { payload } = Envelope.parse(JSON.parse(sent.toString('utf8')));
  return Command.parse(JSON.parse(payload));
}
