import { subjectToken } from './names.ts';

/** Every subject, stream and bucket name of a mesh. The one home of all of them. */
export function subjects(mesh: string) {
  const root = `sb.${mesh}`;
  return {
    root,
    command: (host: string, id: string) => `${root}.cmd.${host}.${id}`,
    commandsOf: (host: string) => `${root}.cmd.${host}.*`,
    control: (host: string, id: string) => `${root}.ctl.${host}.${id}`,
    controlsOf: (host: string) => `${root}.ctl.${host}.*`,
    /** What CMD and CTL have stored, given out again for live delivery. */
    liveCommandsOf: (host: string) => `${root}.live.cmd.${host}.*`,
    liveControlsOf: (host: string) => `${root}.live.ctl.${host}.*`,
    report: (host: string, run: string) => `${root}.report.${host}.${run}`,
    reportsOfHost: (host: string) => `${root}.report.${host}.*`,
    reportsOfRun: (run: string) => `${root}.report.*.${run}`,
    run: (run: string) => `${root}.run.${run}`,
    /** What a coordinator was asked, by how it is kept. */
    audit: (coordinator: string, lane: string) => `${root}.audit.${coordinator}.${lane}`,
    blob: (sha256: string) => `${root}.blob.${sha256}`,
    output: (run: string, step: string, host: string) => `${root}.output.${run}.${subjectToken(step)}.${host}`,
    outputsOfHost: (host: string) => `${root}.output.*.*.${host}`,
    outputsOfRun: (run: string) => `${root}.output.${run}.>`,
    health: (host: string) => `${root}.health.${host}`,
    query: (host: string, verb: string) => `${root}.query.${host}.${verb}`,
    queriesOf: (host: string) => `${root}.query.${host}.*`,
    request: (verb: string) => `${root}.req.${verb}`,
    /** Where who has a token asks to be let in. */
    join: (tokenKey: string) => `${root}.join.${tokenKey}`,
    /** Where a coordinator says to others that it is there. */
    peer: (peer: string) => `${root}.peer.${peer}`,
    status: (what: string, name: string) => `${root}.status.${what}.${subjectToken(name)}`,
    all: {
      commands: `${root}.cmd.*.*`,
      controls: `${root}.ctl.*.*`,
      live: `${root}.live.*.*.*`,
      reports: `${root}.report.>`,
      runs: `${root}.run.*`,
      audits: `${root}.audit.*.*`,
      blobs: `${root}.blob.*`,
      outputs: `${root}.output.>`,
      health: `${root}.health.*`,
      queries: `${root}.query.>`,
      requests: `${root}.req.>`,
      joins: `${root}.join.*`,
      status: `${root}.status.>`,
    },
  } as const;
}

export type Subjects = ReturnType<typeof subjects>;

/** JetStream streams and key-value buckets. Mesh-wide accounts hold one mesh each, so the names carry no mesh. */
export const STREAMS = {
  commands: 'CMD',
  controls: 'CTL',
  reports: 'REPORT',
  runs: 'RUN',
  audits: 'AUDIT',
  blobs: 'BLOB',
  outputs: 'OUTPUT',
} as const;
export const BUCKETS = { hosts: 'hosts', leases: 'leases' } as const;
