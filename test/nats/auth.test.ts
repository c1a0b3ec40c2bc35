import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { connect, nkeyAuthenticator } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NatsConfig } from '../../src/config/config.js';
import { parseAddresses } from '../../src/nats/credentials.js';
import { type NatsIngest, startNats } from '../../src/nats/ingest.js';
import { temporaryDirectory } from '../support/directories.js';
import { KeptLog } from '../support/kept-log.js';
import { NatsServer } from '../support/nats-server.js';
import { firstLine, startProgram } from '../support/programs.js';
import { until } from '../support/wait.js';
import { LineStore } from './line-store.js';

interface KeyPair {
  getPublicKey(): string;
  getSeed(): Uint8Array;
  sign(input: Uint8Array): Uint8Array;
}
interface Nkeys {
  createOperator(): KeyPair;
  createAccount(): KeyPair;
  createUser(): KeyPair;
}
// The client library's own dependency: what it signs with.
const nkeys = createRequire(createRequire(import.meta.url).resolve('nats'))('nkeys.js') as Nkeys;

describe('NATS authentication', () => {
  let server: NatsServer;
  let log: KeptLog;
  let running: NatsIngest[];

  beforeEach(() => {
    server = new NatsServer();
    log = new KeptLog();
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((each) => each.drain(500)));
    await server.stop();
  });

  const start = (config: Partial<NatsConfig>): NatsIngest => {
    const subscriptions = [{ subject: 'hpc-nats', clusterTag: 'alpha' }];
    const ingest = startNats(
      { address: server.url, ...config },
      subscriptions,
      new LineStore(),
      temporaryDirectory(),
      log,
      {
        logSeconds: 0.05,
      },
    );
    running.push(ingest);
    return ingest;
  };
  const connected = (ingest: NatsIngest): Promise<void> =>
    until(() => ingest.state.connection === 'connected', 'a connection');

  it('goes on trying after a wrong password, until the server takes it', async () => {
    await server.start('authorization { user: u, password: "right-secret" }');
    const ingest = start({ username: 'u', password: 'wrong-secret' });
    await until(() => ingest.state.authFailures >= 3, 'three refusals');
    expect(ingest.state).toMatchObject({ connection: 'connecting', server: null });
    expect(ingest.state.lastError).toMatch(/authorization violation/i);
    expect(`${log.text} ${JSON.stringify(ingest.state)}`).not.toContain('wrong-secret');
    await server.stop();
    await server.start('authorization { user: u, password: "wrong-secret" }');
    await connected(ingest);
  });

  it('goes on trying when the server no longer takes the password after a restart', async () => {
    await server.start('authorization { user: u, password: one }');
    const ingest = start({ username: 'u', password: 'one' });
    await connected(ingest);
    await server.stop();
    await server.start('authorization { user: u, password: two }');
    await until(() => ingest.state.authFailures >= 2, 'refusals');
    await server.stop();
    await server.start('authorization { user: u, password: one }');
    await connected(ingest);
    expect(ingest.state.reconnects).toBe(1);
  });

  it('takes user and password from the address', async () => {
    await server.start('authorization { user: u, password: "p@ss" }');
    const ingest = start({ address: `nats://u:p%40ss@127.0.0.1:${server.port}` });
    await connected(ingest);
    expect(log.text).not.toContain('p@ss');
    expect(log.text).not.toContain('p%40ss');
  });

  it('signs with an nkey, and reads its file again at each attempt', async () => {
    const user = nkeys.createUser();
    await server.start(`authorization { users = [{nkey: ${user.getPublicKey()}}] }`);
    const file = join(server.directory, 'user.nk');
    const ingest = start({ nkeyFile: file });
    await until(() => ingest.state.connectFailures > 0, 'a failed attempt');
    expect(ingest.state.lastError).toContain(`nats.nkey-file: cannot read ${file}: ENOENT`);
    writeFileSync(file, '# not a seed\n');
    await until(() => ingest.state.lastError?.includes('holds no nkey seed') ?? false, 'the refusal');
    writeFileSync(file, `# the store's key\n${Buffer.from(user.getSeed()).toString()}\n`);
    await connected(ingest);
    const client = await connect({ servers: server.url, authenticator: nkeyAuthenticator(user.getSeed()) });
    client.publish('hpc-nats', 'cpu,hostname=n1 value=1 1');
    await client.drain();
    await until(() => ingest.state.stored === 1, 'the line');
  });

  it('presents the JWT of a creds file', async () => {
    const operator = nkeys.createOperator();
    const account = nkeys.createAccount();
    const user = nkeys.createUser();
    const accountJwt = jwt(operator, account.getPublicKey(), 'account', {
      limits: { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, conn: -1, leaf: -1, wildcards: true },
    });
    await server.start(
      [
        `operator: ${jwt(operator, operator.getPublicKey(), 'operator', {})}`,
        'resolver: MEMORY',
        `resolver_preload: { ${account.getPublicKey()}: ${accountJwt} }`,
      ].join('\n'),
    );
    const userJwt = jwt(account, user.getPublicKey(), 'user', { subs: -1, data: -1, payload: -1 });
    const creds = server.file(
      'store.creds',
      `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n\n` +
        `-----BEGIN USER NKEY SEED-----\n${Buffer.from(user.getSeed()).toString()}\n------END USER NKEY SEED------\n`,
    );
    const ingest = start({ credsFile: creds });
    await connected(ingest);
    expect(log.text).not.toContain(userJwt);
  });
});

describe('NATS over TLS', () => {
  const servers: NatsServer[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((each) => each.stop()));
  });

  /** Runs ingest in a process of its own, since NODE_EXTRA_CA_CERTS is read at start; prints its final state. */
  const stateWith = async (address: string, ca = ''): Promise<{ connection: string; lastError: string | null }> => {
    const program = startProgram(
      `import { startNats } from './nats/ingest.js';
       const log = { debug() {}, info() {}, warn() {}, err() {}, crit() {} };
       const { state } = startNats({ address: ${JSON.stringify(address)} }, [], {}, '.', log);
       setInterval(() => {
         if (state.connection === 'connected' || state.connectFailures > 0) console.log(JSON.stringify(state));
       }, 10);`,
      { env: { NODE_EXTRA_CA_CERTS: ca } },
    );
    const state = JSON.parse(await firstLine(program));
    await program.stop('SIGKILL');
    return state;
  };

  it('checks the certificate of a tls:// address against NODE_EXTRA_CA_CERTS', async () => {
    const server = new NatsServer();
    servers.push(server);
    const certificate = selfSigned(server, 'IP:127.0.0.1,DNS:nats.test');
    await server.start(`tls { cert_file: "${certificate.cert}", key_file: "${certificate.key}" }`);
    const address = `tls://127.0.0.1:${server.port}`;
    expect((await stateWith(address, certificate.cert)).connection).toBe('connected');
    const untrusted = await stateWith(address);
    expect(untrusted.connection).toBe('connecting');
    expect(untrusted.lastError).toMatch(/self.signed/i);
  });

  it('refuses a certificate of another name', async () => {
    const server = new NatsServer();
    servers.push(server);
    const certificate = selfSigned(server, 'DNS:localhost,DNS:elsewhere.test');
    await server.start(`tls { cert_file: "${certificate.cert}", key_file: "${certificate.key}" }`);
    const state = await stateWith(`tls://127.0.0.1:${server.port}`, certificate.cert);
    expect(state.connection).toBe('connecting');
    expect(state.lastError).toMatch(/altnames|does not match/i);
  });

  it('checks the certificate also when the server asks for TLS by itself', async () => {
    const server = new NatsServer();
    servers.push(server);
    const certificate = selfSigned(server, 'DNS:localhost');
    await server.start(`tls { cert_file: "${certificate.cert}", key_file: "${certificate.key}" }`);
    for (const scheme of ['tls', 'nats']) {
      const address = `${scheme}://localhost:${server.port}`;
      expect((await stateWith(address, certificate.cert)).connection).toBe('connected');
      expect((await stateWith(address)).lastError).toMatch(/self.signed/i);
    }
  });

  it('never talks to a tls:// address in the clear', async () => {
    const server = new NatsServer();
    servers.push(server);
    await server.start();
    expect((await stateWith(`tls://127.0.0.1:${server.port}`)).connection).toBe('connecting');
  });
});

describe('parseAddresses', () => {
  it('reads the forms that nats.go takes', () => {
    expect(parseAddresses('localhost')).toEqual([{ host: 'localhost', port: 4222, tls: false }]);
    expect(parseAddresses('nats://a:1, tls://u:p@[::1]:2,')).toEqual([
      { host: 'a', port: 1, tls: false },
      { host: '::1', port: 2, tls: true, username: 'u', password: 'p' },
    ]);
  });

  it('refuses others, without repeating credentials', () => {
    expect(() => parseAddresses(' , ')).toThrow('nats.address is empty');
    expect(() => parseAddresses('http://u:secret@h')).toThrow('"http://h" is not an address');
    expect(() => parseAddresses('nats://h:99999')).toThrow('is not an address');
  });
});

/** A NATS JWT of version 2, as nsc would make it. */
function jwt(issuer: KeyPair, subject: string, type: string, claims: object): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = { jti: subject, iat: 1_700_000_000, iss: issuer.getPublicKey(), name: type, sub: subject };
  const signed = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode({ ...body, nats: { ...claims, type, version: 2 } })}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}

function selfSigned(server: NatsServer, names: string): { cert: string; key: string } {
  const cert = join(server.directory, 'cert.pem');
  const key = join(server.directory, 'key.pem');
  const subject = ['-subj', '/CN=nats', '-addext', `subjectAltName=${names}`];
  const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  execFileSync('openssl', ['req', ...options, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  return { cert, key };
}
