import { isIP } from 'node:net';
import { type ConnectionOptions, connect, ErrorCode, type NatsConnection, NatsError, type TlsOptions } from 'nats';
import { errorText, type Logger } from '../base/log.js';
import type { NatsConfig } from '../config/config.js';
import { addressText, authenticator, type NatsAddress, parseAddresses } from './credentials.js';
import type { NatsState } from './state.js';
import { within } from './within.js';

const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;
/** A connection that held that long was a good one: the next attempt starts with a short wait again. */
const GOOD_AFTER_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Acknowledgements that a dead server does not take by then come to nothing. */
const FLUSH_TIMEOUT_MS = 2_000;
/** A dead peer is noticed after about three of these. */
const PING_INTERVAL_MS = 20_000;

/**
 * Keeps one connection up for ever, from the first attempt on: the client library's own reconnect gives up after
 * authentication errors and says nothing while the first connection is not made.
 *
 *   connecting ──▶ connected ──▶ reconnecting ──▶ connected ...     any ──▶ closed (`close`)
 */
export class NatsLink {
  readonly #addresses: NatsAddress[];
  #connection: NatsConnection | undefined;
  #closing = false;
  #wake: (() => void) | undefined;

  /**
   * Throws when the config's address cannot be read.
   * @param opened called with each new connection; subscribe there. It ends with the connection.
   */
  constructor(
    private readonly config: NatsConfig,
    private readonly state: NatsState,
    private readonly log: Logger,
    private readonly failed: Logger,
    private readonly opened: (connection: NatsConnection) => void,
  ) {
    this.#addresses = parseAddresses(config.address);
  }

  /** Connects and reconnects until `close`; never rejects. */
  async run(): Promise<void> {
    let wait = FIRST_WAIT_MS;
    for (let attempt = 0; !this.#closing; attempt++) {
      const address = this.#addresses[attempt % this.#addresses.length];
      if (address === undefined) return;
      const since = Date.now();
      await this.#once(address);
      if (this.#closing) return;
      wait = Date.now() - since > GOOD_AFTER_MS ? FIRST_WAIT_MS : Math.min(2 * wait, MAX_WAIT_MS);
      // Spread by a fifth, so that a restarted server is not met by all its clients at once.
      await this.#sleep(wait * (0.8 + 0.4 * Math.random()));
    }
  }

  /** Ends `run` once the present connection is gone. */
  stopReconnecting(): void {
    this.#closing = true;
    this.#wake?.();
  }

  /** Closes the connection after what was sent is flushed, and ends `run`. */
  async close(): Promise<void> {
    this.stopReconnecting();
    const connection = this.#connection;
    if (connection !== undefined && !connection.isClosed()) {
      await within(FLUSH_TIMEOUT_MS, connection.flush());
      await connection.close();
    }
    this.state.connection = 'closed';
    this.state.server = null;
  }

  /** One attempt and, if it succeeds, the life of its connection. */
  async #once(address: NatsAddress): Promise<void> {
    const { state } = this;
    let connection: NatsConnection;
    try {
      connection = await connect(await this.#options(address));
    } catch (error) {
      state.connectFailures++;
      if (error instanceof NatsError && isAuthFailure(error)) state.authFailures++;
      state.lastError = `${addressText(address)}: ${errorText(error)}`;
      this.failed.warn(`cannot connect to ${state.lastError}`);
      return;
    }
    if (this.#closing) {
      await connection.close();
      return;
    }
    this.#connection = connection;
    this.opened(connection);
    // "connected" means that the subscriptions have reached the server, too.
    await within(CONNECT_TIMEOUT_MS, connection.flush());
    if (!connection.isClosed() && !this.#closing) {
      if (state.connection === 'reconnecting') state.reconnects++;
      state.connection = 'connected';
      state.server = addressText(address);
      this.log.info(`connected to ${state.server}`);
    }
    const reason = await connection.closed();
    this.#connection = undefined;
    if (this.#closing) return;
    state.connection = 'reconnecting';
    state.server = null;
    state.lastError = `${addressText(address)}: ${reason instanceof Error ? errorText(reason) : 'connection lost'}`;
    this.log.warn(`lost the connection to ${state.lastError}; reconnecting`);
  }

  async #options(address: NatsAddress): Promise<ConnectionOptions> {
    const options: ConnectionOptions = {
      servers: addressText(address),
      name: 'cc-metric-store',
      reconnect: false,
      // Else each message has a stack made, in case it should fail: 1.5 % of the main thread. Our errors name their stream.
      noAsyncTraces: true,
      ignoreClusterUpdates: true,
      // Leave names to the system (/etc/hosts, search domains): the library would ask the name servers only.
      resolve: false,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
    };
    const credentials = await authenticator(this.config, address);
    if (credentials !== undefined) options.authenticator = credentials;
    if (address.tls) {
      // Node compares the certificate with `host` when there is no server name, which a bare IP address must not have.
      const name = isIP(address.host) === 0 ? { servername: address.host } : { host: address.host };
      const tls: TlsOptions & typeof name = name;
      options.tls = tls;
    }
    return options;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function isAuthFailure(error: NatsError): boolean {
  return error.isAuthError() || error.isAuthTimeout() || error.code === ErrorCode.BadAuthentication;
}
