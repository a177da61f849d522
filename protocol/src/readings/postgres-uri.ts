/** What a PostgreSQL connection URI says, with its escapes read. */
export interface PostgresAddress {
  host: string;
  port: number;
  user: string;
  password: string | undefined;
  database: string;
  sslmode: string | undefined;
}

const SCHEME = /^(postgres|postgresql)(\+[a-z0-9]+)?:\/\//;

/**
 * Reads `postgresql://user:password@host:port/database?sslmode=require`, as libpq does (PostgreSQL manual, 34.1.1.2) and
 * with the driver that SQLAlchemy puts into the scheme (`postgresql+psycopg2://`). A socket's folder may stand in `?host=`.
 * Undefined when it is none, names no database, or has several hosts: which one is meant is then not known before it is
 * too late.
 */
export function readPostgresUri(uri: string): PostgresAddress | undefined {
  if (!SCHEME.test(uri)) return undefined;
  const url = parse(uri.replace(SCHEME, 'postgres://'));
  if (!url) return undefined;
  const [database, user] = [decoded(url.pathname.slice(1)), decoded(url.username)];
  const password = decoded(url.password);
  const host = url.searchParams.get('host') ?? decoded(url.hostname)?.replace(/^\[(.*)\]$/, '$1');
  if (!database || user === undefined || password === undefined || !host) return undefined;
  if (host.includes(',') || database.includes('/')) return undefined;
  return {
    host,
    port: Number(url.port || 5432),
    user,
    password: password === '' ? undefined : password,
    database,
    sslmode: url.searchParams.get('sslmode') ?? undefined,
  };
}

function parse(uri: string): URL | undefined {
  // A URI without a host has no authority that URL would take.
  const whole = uri.replace(/^postgres:\/\/([^/?#@]*@)?\//, 'postgres://$1localhost/');
  return URL.canParse(whole) ? new URL(whole) : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * The settings of the driver for an address. TLS as libpq means it: `require` encrypts, `verify-*` also believes only the
 * authority that is given; below that, as on a host's own network, plain.
 */
export function postgresClientConfig({ sslmode, user, ...address }: PostgresAddress, ca: string | undefined) {
  const verify = ca !== undefined || sslmode?.startsWith('verify-') === true;
  const tls = verify ? { rejectUnauthorized: true, ...(ca !== undefined && { ca }) } : { rejectUnauthorized: false };
  return {
    ...address,
    ...(user !== '' && { user }),
    ssl: verify || sslmode === 'require' ? tls : false,
    application_name: POSTGRES_APPLICATION,
    connectionTimeoutMillis: 10_000,
    // What a row looks like as text must not depend on who asks: checksums are compared between databases.
    options: '-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex',
  };
}

/** The name under which the agent's own sessions stand in pg_stat_activity. */
export const POSTGRES_APPLICATION = 'signalbox-agent';
