/** The smallest runbook that has something of everything the findings are about; tests break it in one place each. */
export const SMALL = `apiVersion: signalbox/v1
kind: Runbook
metadata:
  name: small
spec:
  params:
    window: { type: duration, default: 30s }
    token: { type: secret, default: "file:/etc/token" }
    apps: { type: list, of: { name: string } }
  hosts:
    node: { match: { role: node }, count: 1 }
    miners: { match: { role: miner } }
  exclusive:
    key: { unit: remesd.service, among: { role: node } }
  downtime:
    signing: { from: stopped, to: moves }
  gates:
    chain:
      probe: cometbft.status
      hosts: node
      until: { height: { rising: true } }
      for: 30s
  steps:
    - id: before
      hosts: node
      record: cometbft.status
    - id: stopped
      hosts: node
      do: systemd.stop
      with: { unit: remesd.service }
    - id: stays-down
      hosts: node
      gate:
        probe: systemd.unit
        with: { unit: remesd.service }
        until: { processes: { equals: 0 } }
        for: 3s
      holdUntil: crossing
    - id: told
      hosts: node
      do: http.request
      with: { url: "http://x/stop", effect: reversible, undo: { url: "http://x/go" }, authorization: "\${params.token}" }
    - id: called
      manual: { do: Call them., undo: Call again. }
    - id: apps-off
      hosts: node
      forEach: { in: "\${params.apps}", key: name }
      do: exec.run
      with: { argv: [stop, "\${item.name}"], effect: reversible, undo: { argv: [start, "\${item.name}"] } }
    - id: crossing
      pointOfNoReturn:
        statement: No way back.
        guards: [stays-down]
    - id: started
      hosts: node
      do: systemd.start
      with: { unit: remesd.service }
    - id: moves
      gate: chain
      for: \${params.window}
    - id: miners-on
      hosts: miners
      batch: { sizes: [1] }
      do: systemd.start
      with: { unit: r3mes-miner.service }
`;

/**
 * A text with one place marked by « and »: the text without the marks, and where a finding about that place must stand.
 */
export function marked(text: string): { text: string; line: number; column: number; length: number } {
  const from = text.indexOf('«');
  const before = text.slice(0, from).split('\n');
  return {
    text: text.replace(/[«»]/g, ''),
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
    length: text.indexOf('»') - from - 1,
  };
}

/** The small runbook with one piece of text replaced; fails when the piece is not there. */
export function smallWith(...edits: [string, string][]): string {
  let text = SMALL;
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`the small runbook has no ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}
