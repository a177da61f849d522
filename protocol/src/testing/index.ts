/** For tests only: a host that is a temporary folder, with stand-ins on its PATH, and real servers to ask. */
export * from './alembic-scripts.ts';
export * from './local-host.ts';
export * from './ports.ts';
export * from './real-alertmanager.ts';
export * from './real-dns.ts';
export * from './real-kafka.ts';
export * from './real-kafka-connect.ts';
export * from './real-postgres.ts';
export * from './require-real.ts';
export * from './stand-in-units.ts';
export * from './until.ts';
