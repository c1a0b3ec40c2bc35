/** Entry: `node dist/server.js`. Reads flags and config, starts everything in order, stops everything in reverse. */
import { parseFlags } from './cli.js';
import { loadConfig } from './config/load.js';
import { ConfigError } from './config/problems.js';
import { configureLog, logger } from './log.js';
import { checkConfig } from './ops/check-config.js';
import { runCleanup } from './persistence/cleanup.js';
import { Service } from './service.js';

const log = logger('server');

async function main(): Promise<number | undefined> {
  const flags = parseFlags(process.argv.slice(2));
  if ('exit' in flags) {
    process[flags.stream].write(flags.text);
    return flags.exit;
  }
  configureLog({ level: flags.loglevel, date: flags.logdate });
  if (flags.gops) log.warn('-gops is ignored: use node --inspect');
  const { config, warnings } = loadConfig(flags.config);
  for (const warning of warnings) log.warn(warning);
  if (flags.checkConfig) {
    process.stdout.write(checkConfig(config).text);
    return 0;
  }
  if (flags.cleanupCheckpoints) {
    process.stdout.write(`${await runCleanup(config, logger('cleanup'))} checkpoint files cleaned up\n`);
    return 0;
  }
  const service = new Service(config, flags.dev);
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

main().then(
  (code) => {
    if (code !== undefined) process.exitCode = code;
  },
  (error: unknown) => {
    if (error instanceof ConfigError) for (const problem of error.problems) log.crit(problem);
    else log.crit('the server did not start', error);
    process.exit(1);
  },
);
