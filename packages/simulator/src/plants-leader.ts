import { Plan, Report, Request } from '@signalbox/protocol';
import { open, seal } from '@signalbox/protocol/crypto';
import { keyOf } from './keys.ts';
import { HONEST, type Planted } from './planted.ts';

const anybody = { trusts: () => true };

/** Mistakes of a coordinator about what it has been told: by the hosts when it takes over, and by the plan. */
export const LEADER_PLANTS: Readonly<Record<string, { readonly rule: string; readonly planted: Planted }>> = {
  'a leader that writes on, whatever the hosts know': {
    rule: 'I8',
    planted: {
      ...HONEST,
      coordinatorBus: (bus) => ({
        ...bus,
        reports: (run, epoch, handler) =>
          bus.reports(run, epoch, (report) => handler({ ...report, data: knowingNothing(report.data) })),
      }),
    },
  },
  'a run that knows no window': {
    rule: 'I2',
    planted: {
      ...HONEST,
      trusting: true,
      coordinatorBus: (bus) => ({
        ...bus,
        serve: (verbs, handler) =>
          bus.serve(verbs, (verb, data) => handler(verb, verb === 'start' ? withoutWindow(data) : data)),
      }),
    },
  },
};

/** The answer to a fence, as if the host's journal had nothing that could be compared. */
function knowingNothing(data: Uint8Array): Uint8Array {
  const { payload } = open(data, { kind: 'report', schema: Report, ...anybody });
  if (payload.type !== 'control' || payload.control !== 'fence' || payload.failure) return data;
  const { seen: _seen, ...report } = payload;
  return seal('report', { ...report, known: [] }, keyOf(report.host));
}

function withoutWindow(data: Uint8Array): Uint8Array {
  const { payload } = open(data, { kind: 'request', schema: Request, ...anybody });
  // Nobody has signed the plan that is left.
  const { signed: _signed, ...body } = payload.body;
  const { window: _window, ...plan } = Plan.parse(JSON.parse(String(body.plan)));
  return seal('request', { ...payload, body: { ...body, plan: JSON.stringify(plan) } }, keyOf(payload.operator));
}
