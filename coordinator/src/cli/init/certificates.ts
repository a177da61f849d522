// Before x509, which is built on decorators and looks for it when it is loaded.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** ECDSA on P-256: what every TLS library takes. */
const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 3_600_000;
/** Clocks of hosts may be behind. */
const EARLIER_MS = 3_600_000;
const CA_DAYS = 3_650;
const SERVER_DAYS = 730;

/** All in PEM. */
export interface Certificates {
  readonly ca: string;
  readonly caKey: string;
  readonly certificate: string;
  readonly key: string;
}

/** An authority for one mesh, and the certificate of its NATS server for these names and addresses. */
export async function makeCertificates(mesh: string, names: readonly string[]): Promise<Certificates> {
  const nowMs = Date.now();
  const [authority, server] = [await newKeys(), await newKeys()];
  const span = (days: number) => ({
    serialNumber: `00${randomBytes(16).toString('hex')}`,
    notBefore: new Date(nowMs - EARLIER_MS),
    notAfter: new Date(nowMs + days * DAY_MS),
    signingAlgorithm: SIGNATURE,
  });
  const name = `CN=Signalbox mesh ${mesh}`;
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...span(CA_DAYS),
    name,
    keys: authority,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const certificate = await X509CertificateGenerator.create({
    ...span(SERVER_DAYS),
    subject: `CN=nats.${mesh}`,
    issuer: name,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ),
    ],
  });
  return {
    ca: `${ca.toString('pem')}\n`,
    caKey: await pemOf(authority.privateKey),
    certificate: `${certificate.toString('pem')}\n`,
    key: await pemOf(server.privateKey),
  };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
