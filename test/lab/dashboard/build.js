// As `next build` does with NEXT_PUBLIC_*: the values of the moment of the build go into a script, and stay there. What
// `pinned.json` names is a value that somebody wrote into the code, which no variable changes.
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { html } = require('page');

const pinned = existsSync('pinned.json') ? JSON.parse(readFileSync('pinned.json', 'utf8')) : {};
const variables = Object.entries(process.env).filter(([name]) => name.startsWith('NEXT_PUBLIC_'));
const script = `const env=${JSON.stringify({ ...Object.fromEntries(variables.sort()), ...pinned })};`;
const name = `app-${createHash('sha256').update(script).digest('hex').slice(0, 12)}.js`;
rmSync('.next', { recursive: true, force: true });
mkdirSync('.next/static', { recursive: true });
writeFileSync(`.next/static/${name}`, script);
writeFileSync('.next/index.html', html(name));
