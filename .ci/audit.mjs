// Asks the registry which vulnerabilities are known today in what goes into the product, and prints the figures.
// Ends with 1 when one of them is high or critical, with 2 when the registry gives no figures.
import { pnpm } from './pnpm.mjs';

const SERIOUS = ['critical', 'high'];
const SEVERITIES = [...SERIOUS, 'moderate', 'low', 'info'];

const say = (line) => process.stdout.write(`audit: ${line}\n`);

const { stdout, stderr, error } = pnpm(['audit', '--prod', '--json']);
const told = parse(stdout);
if (told === undefined) {
  const why = error?.message ?? stderr.match(/responded with (\d+)/)?.[0] ?? stderr.match(/ERR_PNPM_\w+/)?.[0];
  say(`no figures: the registry's audit endpoint ${why ?? 'said nothing'}`);
  process.exit(2);
}
const { vulnerabilities, totalDependencies } = told.metadata;
const counts = SEVERITIES.map((severity) => `${vulnerabilities[severity]} ${severity}`).join(', ');
say(`${totalDependencies} packages go into the product; known today: ${counts}`);
for (const { severity, module_name: name, title, url, patched_versions: patched } of Object.values(told.advisories))
  say(`${severity}: ${name}: ${title}; put right in ${patched} (${url})`);
process.exit(SERIOUS.some((severity) => vulnerabilities[severity] > 0) ? 1 : 0);

function parse(text) {
  try {
    const { metadata, advisories = {} } = JSON.parse(text);
    return metadata && { metadata, advisories };
  } catch {
    return undefined;
  }
}
