import type { HostContext } from '@signalbox/protocol';
import {
  type DeploymentReading,
  type KubernetesConnection,
  kubectlArgv,
  type PodReading,
  readDeployment,
  readPods,
} from '@signalbox/protocol/readings';
import { probeError } from '../codes.ts';

const ANSWER_WITHIN_MS = 20_000;

/** A Deployment and the pods that its selector matches, ending ones included. @throws SB-PROBE-KUBERNETES */
export async function lookAtDeployment(
  context: HostContext,
  cluster: KubernetesConnection,
  name: string,
): Promise<{ deployment: DeploymentReading; pods: PodReading[] }> {
  const deployment = readDeployment(await kubectl(context, cluster, ['get', 'deployment', name]));
  if (!deployment) throw probeError('SB-PROBE-KUBERNETES', `${name} is no Deployment with a selector of plain labels`);
  const pods = readPods(await kubectl(context, cluster, ['get', 'pods', `--selector=${deployment.selector}`]));
  return { deployment, pods };
}

/**
 * Whether the login of a cluster may do something, by the API server's own rules (SelfSubjectAccessReview): nothing is tried.
 * @throws SB-PROBE-KUBERNETES when it does not say
 */
export async function mayDo(
  context: HostContext,
  cluster: KubernetesConnection,
  { verb, resource, subresource }: { verb: string; resource: string; subresource?: string },
): Promise<boolean> {
  const part = subresource === undefined ? [] : [`--subresource=${subresource}`];
  const words = ['auth', 'can-i', verb, resource, ...part];
  const { said, why } = await run(context, cluster, words);
  // It exits with 1 for a "no" as well as for an error; the answer has no other form than the word.
  const [answer] = /^(yes|no)\b/.exec(said) ?? [];
  if (answer === undefined) throw refusal(words, why);
  return answer === 'yes';
}

async function kubectl(context: HostContext, cluster: KubernetesConnection, words: readonly string[]): Promise<string> {
  const { said, why, exitCode } = await run(context, cluster, [...words, '-o', 'json']);
  if (exitCode !== 0) throw refusal(words, why);
  return said;
}

async function run(context: HostContext, cluster: KubernetesConnection, words: readonly string[]) {
  const argv = await kubectlArgv(context, cluster);
  const result = await context.exec([...argv, ...words], { quiet: true, timeoutMs: ANSWER_WITHIN_MS });
  const { stdout: said, stderr, exitCode, timedOut } = result;
  const why = timedOut ? 'no answer in time' : (stderr.trim().split('\n').at(-1) ?? '').slice(0, 300);
  return { said, why, exitCode };
}

const refusal = (words: readonly string[], why: string) =>
  probeError('SB-PROBE-KUBERNETES', `kubectl ${words.slice(0, 3).join(' ')}: ${why}`);
