/** Which level is logged: the flag's, else the configuration's. */

import type { LogLevel } from './base/log.js';
import type { Flags } from './commands/cli.js';
import type { Config } from './config/config.js';

const DEFAULT_LEVEL: LogLevel = 'warn';

/** @param config absent: not read yet. */
export function logLevel({ loglevel }: Pick<Flags, 'loglevel'>, config?: Config): LogLevel {
  return loglevel ?? config?.main.logLevel ?? DEFAULT_LEVEL;
}
