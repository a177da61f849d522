import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** For tests: where Debian puts Alembic; a service has one in its own environment. */
export const ALEMBIC_PROGRAM = '/usr/bin/alembic';

const ENV = (url: string) => `import os
from alembic import context
from sqlalchemy import create_engine
engine = create_engine(${url})
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`;

const REVISIONS: [name: string, down: string | undefined, up: string, back: string][] = [
  [
    '001_initial',
    undefined,
    'CREATE TABLE users (id serial PRIMARY KEY, wallet_address text UNIQUE, credits numeric, created_at timestamptz DEFAULT CURRENT_TIMESTAMP)',
    'DROP TABLE users',
  ],
  ['002_add_indexes', '001_initial', 'CREATE INDEX by_credits ON users(credits)', 'DROP INDEX by_credits'],
  [
    '003_add_lora_serving_node',
    '002_add_indexes',
    'CREATE TABLE lora_serving_nodes (id serial PRIMARY KEY, address text)',
    'DROP TABLE lora_serving_nodes',
  ],
];

/**
 * Writes Alembic scripts as R3MES has them, 001 -> 002 -> 003, into a folder.
 * @param url Python that gives the URL; the default reads DATABASE_URL, as it should be.
 */
export function writeAlembicScripts(folder: string, { url = "os.environ['DATABASE_URL']" } = {}): void {
  const versions = join(folder, 'alembic', 'versions');
  mkdirSync(versions, { recursive: true });
  writeFileSync(join(folder, 'alembic.ini'), '[alembic]\nscript_location = alembic\n');
  writeFileSync(join(folder, 'alembic', 'env.py'), ENV(url));
  for (const [name, down, up, back] of REVISIONS) {
    const text = `revision = '${name}'
down_revision = ${down === undefined ? 'None' : `'${down}'`}
from alembic import op
def upgrade():
    op.execute("${up}")
def downgrade():
    op.execute("${back}")
`;
    writeFileSync(join(versions, `${name}.py`), text);
  }
}
