import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commandByHand } from './by-hand.ts';

describe('a command by hand', () => {
  it('takes its words from what was given and from what the step kept', () => {
    expect(
      commandByHand('mv -f -- {receipt.own.kept} {target}', { target: '/etc/a' }, { own: { kept: '/etc/a.1' } }),
    ).toBe('mv -f -- /etc/a.1 /etc/a');
    expect(commandByHand('{undo.argv}', { undo: { argv: ['./back', 'a b', 'c'] } }, {})).toBe("./back 'a b' c");
    expect(commandByHand('scale --replicas={receipt.n}', {}, { n: 0 })).toBe('scale --replicas=0');
  });

  it('leaves out an option that was not given', () => {
    const template = 'kubectl [--kubeconfig={in.file} ][--context={in.context} ]get';
    expect(commandByHand(template, { in: { context: 'prod' } }, {})).toBe('kubectl --context=prod get');
    expect(commandByHand(template, { in: { file: { $secret: 'file:/etc/kube' } } }, {})).toBe(
      'kubectl --kubeconfig=/etc/kube get',
    );
  });

  it('is none when something is not known, or is not to be seen', () => {
    expect(commandByHand('mv {receipt.own.kept} x', {}, {})).toBeUndefined();
    expect(commandByHand('mv {receipt.old} x', {}, { old: null })).toBeUndefined();
    expect(commandByHand('connect {uri}', { uri: { $secret: 'env:PASSWORD' } }, {})).toBeUndefined();
    expect(commandByHand('echo {constructor}', {}, {})).toBeUndefined();
  });

  it('[I9] is the same words to a shell, whatever the values are', () => {
    const nasty = [
      "a'b",
      '$(touch /tmp/x)',
      '`id`',
      'a;b',
      'a b',
      '{receipt.own}',
      '[x]',
      '-rf',
      '\\',
      '"',
      "'; rm -rf /; '",
      '$HOME',
      '*',
      '~',
      '!!',
    ];
    for (const value of nasty) {
      const command = commandByHand("printf '%s' {x} {receipt.y}", { x: value }, { y: value }) ?? '';
      expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' }), command).toBe(value + value);
    }
  });
});
