import type { CodeCatalogue } from '@signalbox/protocol';

/** What can go wrong with databases and their schemas. */
export const DATABASE_CODES = {
  'SB-ACT-POSTGRES-URI': {
    class: 'terminal',
    means: 'The secret is no URI of one PostgreSQL database.',
    next: 'It should read postgresql://user:password@host:5432/database; special characters are percent-encoded.',
  },
  'SB-ACT-POSTGRES': {
    class: 'terminal',
    means: 'PostgreSQL refused a statement; nothing of its transaction was kept.',
    next: 'The message is the server’s own; look up its SQLSTATE in parentheses.',
  },
  'SB-ACT-POSTGRES-UNREACHABLE': {
    class: 'retryable',
    means: 'No session with PostgreSQL could be had; nothing was asked of it.',
    next: 'Check address, network and pg_hba.conf from this host.',
  },
  'SB-ACT-POSTGRES-LOST': {
    class: 'unknown',
    means: 'The session with PostgreSQL broke while it worked: its last transaction may have been kept.',
    next: 'The probe of the step looks; else look at the database, then `signalbox resolve`.',
  },
  'SB-ACT-DUMP-DAMAGED': {
    class: 'terminal',
    means:
      'A dump is not complete, cannot be read, or does not give back what was dumped. The database was not touched.',
    next: 'Do not delete anything. Find another dump, or keep the present database.',
  },
  'SB-ACT-DATABASE-BUSY': {
    class: 'terminal',
    means: 'A database has to be renamed, and somebody is connected to it.',
    next: 'Stop who is named in the message; nobody is thrown out.',
  },
  'SB-ACT-DATABASE-RIGHTS': {
    class: 'terminal',
    means:
      'The user of the connection could not put the database back: it may not create databases, or does not own this one.',
    next: 'Give it CREATEDB and the ownership, or connect as somebody who has both.',
  },
  'SB-ACT-DATABASE-SETTINGS': {
    class: 'terminal',
    means: 'The database has properties of its own that a dump does not carry, so a restored one would differ.',
    next: 'Move grants and ALTER DATABASE ... SET to roles, or restore by hand.',
  },
  'SB-ACT-SQL-RESULT': {
    class: 'terminal',
    means: 'The query that says whether statements are done gives no boolean, or not the one that was to be expected.',
    next: 'Run the query of `applied` by hand and correct it or the statements.',
  },
  'SB-ACT-SQL-COMMITS': {
    class: 'unknown',
    means:
      'Statements that run in one transaction have ended it themselves, so some of them may be kept and others not.',
    next: 'Leave BEGIN, COMMIT and ROLLBACK out; look at what is in the database now.',
  },
  'SB-ACT-COLUMN-MISSING': {
    class: 'terminal',
    means:
      'A table is not there or does not have a column: another revision of the schema than the runbook was written for.',
    next: 'Compare with `\\d TABLE` and correct the list of columns.',
  },
  'SB-ACT-DUPLICATE-ROWS': {
    class: 'terminal',
    means: 'Rows to load have keys that stand twice, or that the table has already. Nothing was loaded.',
    next: 'Decide which rows count; Signalbox does not merge.',
  },
  'SB-ACT-ROWS-DIFFER': {
    class: 'terminal',
    means: 'What arrived in the table is not what was exported, by count or by checksum. Nothing was kept.',
    next: 'Compare types, defaults and triggers of the table at both ends.',
  },
  'SB-ACT-ALEMBIC-DATABASE': {
    class: 'terminal',
    means: 'Alembic works on another database than the one that is meant.',
    next: 'See what env.py reads its URL from; a default of its own, such as sqlite, must not win.',
  },
  'SB-ACT-ALEMBIC-REVISION': {
    class: 'terminal',
    means: 'A revision is not known, not the only head, or not the one that the database has.',
    next: 'Run `alembic heads`, `alembic history` and `alembic current` on the host.',
  },
} as const satisfies CodeCatalogue;
