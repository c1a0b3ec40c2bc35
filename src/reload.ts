/**
 * SIGHUP: the configuration, the certificate and the cluster's secret are read again. What can change while the server runs does, what can't is named;
 * of a configuration with mistakes nothing is taken.
 */

import { configureLog, logger } from './base/log.js';
import type { Flags } from './commands/cli.js';
import type { Config } from './config/config.js';
import { type LoadedConfig, loadConfig } from './config/load.js';
import { ConfigError } from './config/problems.js';
import { type ConfigChanges, compareConfigs, takeOver } from './config/reload.js';
import { logLevel } from './log-level.js';
import { loadTls, reloadTls, type TlsOptions } from './ops/tls.js';
import type { Reconfiguration } from './partition/partition.js';

const log = logger('server');

/** The parts of the server that can change, each to what the configuration says by then. */
export interface Reloadable {
  store(change: Reconfiguration): Promise<void>;
  clock(): Promise<void>;
  nats(): Promise<void>;
  key(key: Uint8Array | undefined): Promise<void>;
  certificate(options: TlsOptions): void;
  /** Reads the secret of the cluster again. @throws Error when it can't be used; the old one stays. */
  secret(): void;
}

/**
 * Reads the configuration again at each SIGHUP, one after the other. @param started resolves when the server runs.
 * @param config what it runs with: changed in place.
 * @returns stops listening.
 */
export function reloadOnHangup(started: Promise<void>, config: Config, flags: Flags, parts: Reloadable): () => void {
  let running = started;
  const hangup = (): void => {
    running = running
      .then(() => reload(config, flags, parts))
      .catch((error: unknown) => log.err('the reload failed', error));
  };
  process.on('SIGHUP', hangup);
  return () => process.off('SIGHUP', hangup);
}

async function reload(config: Config, flags: Flags, parts: Reloadable): Promise<void> {
  const fresh = load(flags.config, config);
  if (fresh) {
    for (const warning of fresh.warnings) log.warn(warning);
    await apply(config, fresh.config, flags, parts);
  }
  // A renewed certificate must not wait until a mistake elsewhere is mended.
  if (config.main.tls) reloadTls(config.main.tls, (options) => parts.certificate(options));
  if (config.cluster?.secretFile !== undefined) reloadSecret(config.cluster.secretFile, parts);
}

function reloadSecret(path: string, parts: Reloadable): void {
  try {
    parts.secret();
    log.info(`${path} was read again: its first line signs, all are accepted`);
  } catch (error) {
    log.err('the secret of the cluster was not read again, the old one stays in use', error);
  }
}

/** Undefined, with the reason in the log: it can't be used. */
function load(path: string, old: Config): LoadedConfig | undefined {
  try {
    const fresh = loadConfig(path);
    const { tls } = fresh.config.main;
    // Of other files than before; those before are the certificate's own matter.
    if (old.main.tls && tls && (tls.certFile !== old.main.tls.certFile || tls.keyFile !== old.main.tls.keyFile))
      loadTls(tls);
    return fresh;
  } catch (error) {
    if (error instanceof ConfigError) for (const problem of error.problems) log.err(problem);
    else log.err(`${path}: it can't be used`, error);
    log.err('the configuration was not read again, the old one stays in use');
    return undefined;
  }
}

async function apply(config: Config, fresh: Config, flags: Flags, parts: Reloadable): Promise<void> {
  const changes: ConfigChanges = compareConfigs(config, fresh);
  takeOver(config, fresh, changes);
  configureLog({ level: logLevel(flags, config) });
  const { metrics, tags, jobs, nats, key, level } = changes;
  if (metrics.size > 0 || tags || jobs || level) {
    const { retentionSeconds, futureLimitSeconds } = config.store;
    await parts.store({
      metrics: [...metrics],
      tagRules: config.tagRules,
      store: { retentionSeconds, futureLimitSeconds },
    });
  }
  if (key) await parts.key(config.main.jwtPublicKey);
  if (jobs) await parts.clock();
  if (nats) await parts.nats();
  for (const line of changes.done) log.warn(`SIGHUP: ${line}`);
  for (const name of changes.restart) log.warn(`SIGHUP: ${name} needs a restart, the old value stays in use`);
  if (changes.done.length + changes.restart.length === 0) log.info('SIGHUP: the configuration is as it was');
}
