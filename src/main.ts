/**
 * The server's start after its port is open (server.ts): reads flags and config, starts everything in order, stops everything
 * in reverse.
 *
 * As soon as the config is known the workers are started and read the checkpoint directory; while they do, this thread
 * reads the rest of its modules and begins to answer.
 */

import { keepYoungSmall } from './base/heap.js';
import { configureLog, logger } from './base/log.js';
import type { Cluster } from './cluster/cluster.js';
import { parseFlags } from './commands/cli.js';
import type { Config } from './config/config.js';
import { loadConfig } from './config/load.js';
import { ConfigError } from './config/problems.js';
import type { EarlyPort } from './early-port.js';
import { logLevel } from './log-level.js';
import { becomesOther, type OpenStore, openStore } from './open-store.js';
import { Pool } from './store/pool.js';
import { buildInfo } from './version.js';

const log = logger('server');

async function start(port: EarlyPort | undefined): Promise<number | undefined> {
  const flags = parseFlags(process.argv.slice(2));
  if ('exit' in flags) {
    process[flags.stream].write(flags.text);
    return flags.exit;
  }
  configureLog({ level: logLevel(flags), date: flags.logdate });
  if (flags.gops) log.warn('-gops is ignored: use node --inspect');
  const { config, warnings } = loadConfig(flags.config);
  configureLog({ level: logLevel(flags, config) });
  for (const warning of warnings) log.warn(warning);
  if (flags.checkConfig) {
    const { checkConfig } = await import('./ops/check-config.js');
    process.stdout.write(checkConfig(config).text);
    return 0;
  }
  if (flags.cleanupCheckpoints) {
    const { runCleanup } = await import('./retention/cleanup.js');
    process.stdout.write(`${await runCleanup(config, logger('cleanup'))} checkpoint files cleaned up\n`);
    return 0;
  }
  keepYoungSmall();
  const pool = new Pool({
    config,
    log: logger('store'),
    modulePath: new URL('./core.wasm', import.meta.url),
    onFatal: (error) => {
      log.crit('a part of the store is gone, so the server ends; what was acknowledged is in the log', error);
      process.exit(1);
    },
  });
  const cluster = await clusterOf(config, pool);
  // Threads must not be started, nor files be opened, by the user that the process is only to bind its port as.
  let store: OpenStore | undefined;
  if (!becomesOther(config)) {
    pool.prepare();
    store = openStore(config, pool, cluster);
  }
  const { Service } = await import('./service.js');
  const service = new Service({
    config,
    flags,
    pool,
    ...(store && { store }),
    ...(port && { port }),
    ...(cluster && { cluster }),
  });
  const stop = (signal: string): void => {
    log.info(`${signal}: stopping`);
    process.once(signal, () => process.exit(1));
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.crit('the stop failed; what was acknowledged is in the log', error);
        process.exit(1);
      },
    );
  };
  // A second signal ends at once: what was acknowledged is in the log.
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stop(signal));
  await service.start();
  return undefined;
}

/** Undefined: the store is alone. */
async function clusterOf(config: Config, pool: Pool): Promise<Cluster | undefined> {
  if (!config.cluster) return undefined;
  const { Cluster } = await import('./cluster/cluster.js');
  const cluster = new Cluster({
    config,
    cluster: config.cluster,
    pool,
    version: buildInfo().version,
    log: logger('cluster'),
    onFatal: (error) => {
      log.crit('this store can not go on in its cluster; what was acknowledged is at NATS', error);
      process.exit(1);
    },
  });
  pool.join(cluster);
  return cluster;
}

/** Runs the server. Sets the process's exit code, or ends it when it can't start. @param port if it is open already. */
export async function main(port: EarlyPort | undefined): Promise<void> {
  try {
    const code = await start(port);
    if (code !== undefined) process.exitCode = code;
  } catch (error) {
    if (error instanceof ConfigError) for (const problem of error.problems) log.crit(problem);
    else log.crit('the server did not start', error);
    process.exit(1);
  }
}
