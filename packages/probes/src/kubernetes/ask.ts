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

async function kubectl(context: HostContext, cluster: KubernetesConnection, words: readonly string[]): Promise<string> {
  const argv = await kubectlArgv(context, cluster);
  const result = await context.exec([...argv, ...words, '-o', 'json'], { quiet: true, timeoutMs: ANSWER_WITHIN_MS });
  if (result.exitCode === 0) return result.stdout;
  const said = result.timedOut ? 'no answer in time' : (result.stderr.trim().split('\n').at(-1) ?? '').slice(0, 300);
  throw probeError('SB-PROBE-KUBERNETES', `kubectl ${words.slice(0, 3).join(' ')}: ${said}`);
}
