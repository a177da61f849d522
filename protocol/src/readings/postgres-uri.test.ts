import { describe, expect, it } from 'vitest';
import { postgresClientConfig, readPostgresUri } from './postgres-uri.ts';

describe('a PostgreSQL connection URI', () => {
  it('is read with its escapes, and with the driver that SQLAlchemy wants in it', () => {
    expect(readPostgresUri('postgresql+psycopg2://r3mes:p%40ss%2Fw@db:5433/r3mes_prod?sslmode=require')).toEqual({
      host: 'db',
      port: 5433,
      user: 'r3mes',
      password: 'p@ss/w',
      database: 'r3mes_prod',
      sslmode: 'require',
    });
    expect(readPostgresUri('postgres://u@[::1]/d')).toMatchObject({ host: '::1', port: 5432, password: undefined });
    expect(readPostgresUri('postgresql:///d?host=/run/postgresql')).toMatchObject({
      host: '/run/postgresql',
      user: '',
    });
  });

  it('is none when it is of another kind, names no database, or several hosts', () => {
    for (const uri of [
      'sqlite:///r3mes.db',
      'postgres://db',
      'postgres://a/d?host=a,b',
      'mysql://u@h/d',
      'x',
      'postgres://u:%zz@h/d',
    ]) {
      expect(readPostgresUri(uri), uri).toBeUndefined();
    }
  });

  it('becomes TLS that believes an authority only when one is wanted', () => {
    const config = (uri: string, ca?: string) => {
      const address = readPostgresUri(uri);
      if (!address) throw new Error('no address');
      return postgresClientConfig(address, ca).ssl;
    };
    expect(config('postgres://u@h/d')).toBe(false);
    expect(config('postgres://u@h/d?sslmode=require')).toEqual({ rejectUnauthorized: false });
    expect(config('postgres://u@h/d?sslmode=verify-full')).toEqual({ rejectUnauthorized: true });
    expect(config('postgres://u@h/d', 'PEM')).toEqual({ rejectUnauthorized: true, ca: 'PEM' });
  });
});
