import { type CodeCatalogue, type Failure, failWith } from './failure.ts';

/** What the owner of a host does not allow there (`policy` in agent.yaml), whoever asks for it. */
export const POLICY_CODES = {
  'SB-POLICY-FILE': {
    class: 'terminal',
    means:
      "The policy of this host cannot be relied on: somebody else than root and the agent's own user could change it. The agent does not start.",
    next: 'Let root own the file and every folder above it, writable by nobody else (chown root, chmod go-w).',
  },
  'SB-POLICY-ACTION': {
    class: 'terminal',
    means: 'The policy of the host does not allow this action. Nothing was done.',
    next: "Ask the host's owner to allow it under `actions` in policy.yaml, or take another way.",
  },
  'SB-POLICY-PROBE': {
    class: 'terminal',
    means: 'The policy of the host does not allow this probe. Nothing was looked at.',
    next: "Ask the host's owner to allow it under `probes` in policy.yaml.",
  },
  'SB-POLICY-UNIT': {
    class: 'terminal',
    means: 'The policy of the host does not allow this unit. Nothing was done.',
    next: "Correct the unit, or ask the host's owner to allow it under `units` in policy.yaml.",
  },
  'SB-POLICY-PATH': {
    class: 'terminal',
    means: 'The policy of the host does not allow this path, or what a symbolic link there leads to. Nothing was done.',
    next: "Correct the path, or ask the host's owner to allow it under `paths` in policy.yaml.",
  },
  'SB-POLICY-SECRET': {
    class: 'terminal',
    means: 'The policy of the host does not allow this secret to be used there. It was not read.',
    next: "Refer to another one, or ask the host's owner to allow it under `secrets` in policy.yaml.",
  },
  'SB-POLICY-COMMAND': {
    class: 'terminal',
    means: 'The policy of the host does not allow this program with these arguments. Nothing was done.',
    next: "Use an action that is allowed, or ask the host's owner for a pattern under `commands` in policy.yaml.",
  },
  'SB-POLICY-USER': {
    class: 'terminal',
    means: 'A program would run as a user that the policy of the host does not allow. It was not started.',
    next: "Correct the owner of the folder, or ask the host's owner to allow the user under `users` in policy.yaml.",
  },
} as const satisfies CodeCatalogue;

export const policyError = failWith(POLICY_CODES);

/** The host could, but its owner does not want it to: it will not be otherwise a minute later. */
export function isRefusedByPolicy({ code }: Failure): boolean {
  return code in POLICY_CODES;
}
