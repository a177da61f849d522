const METRIC = 'r3mes_miner_submissions_total';

/**
 * Sum of the counter over its labels (`status="success"`, ...) in Prometheus' text format; undefined when the miner does
 * not have it.
 */
export function submissionsIn(metrics: string): number | undefined {
  const samples = metrics.split('\n').flatMap((line) => {
    if (!line.startsWith(METRIC)) return [];
    const [, value] = /^[a-z0-9_]+(?:\{[^}]*\})?\s+(\S+)/.exec(line) ?? [];
    return value !== undefined && Number.isFinite(Number(value)) ? [Number(value)] : [];
  });
  return samples.length === 0 ? undefined : samples.reduce((sum, value) => sum + value, 0);
}
