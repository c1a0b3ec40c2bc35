/** The server's command line. */

import { type FlagTable, parseGoFlags } from '../base/flags.js';
import { LOG_LEVELS, type LogLevel } from '../base/log.js';
import { versionText } from '../version.js';
import { commandsText } from './commands.js';

export interface Flags {
  /** Path of the configuration file. */
  config: string;
  /** Serve Swagger UI and the OpenAPI document. */
  dev: boolean;
  /** Undefined: not given, the configuration may say. */
  loglevel: LogLevel | undefined;
  logdate: boolean;
  cleanupCheckpoints: boolean;
  checkConfig: boolean;
  /** Given for the reference's sake; the caller warns that it does nothing. */
  gops: boolean;
}

/** What the command line asks for when the server is not to start: print to the stream and leave with the code. */
export interface CliExit {
  exit: 0 | 2;
  stream: 'stdout' | 'stderr';
  text: string;
}

const SERVER_FLAGS = {
  config: {
    kind: 'string',
    default: './config.json',
    placeholder: 'FILE',
    usage: 'Read the configuration from FILE',
  },
  dev: { kind: 'bool', default: false, usage: 'Serve Swagger UI at /swagger/ as well' },
  loglevel: {
    kind: 'string',
    default: 'warn',
    placeholder: 'LEVEL',
    usage: 'Log this level and what is more severe: debug, info, warn, err, crit',
  },
  logdate: { kind: 'bool', default: false, usage: 'Put date and time into log lines' },
  version: { kind: 'bool', default: false, usage: 'Show version, commit and build date, then exit' },
  'cleanup-checkpoints': {
    kind: 'bool',
    default: false,
    usage: 'Delete or archive checkpoint data older than the retention, then exit',
  },
  'check-config': { kind: 'bool', default: false, usage: 'Check the configuration, say what it means, then exit' },
  gops: { kind: 'bool', default: false, usage: 'Accepted and ignored (use node --inspect)' },
} as const satisfies FlagTable;

/** Reads the server's flags. @param argv without node and script: `process.argv.slice(2)` */
export function parseFlags(argv: readonly string[]): Flags | CliExit {
  const parsed = parseGoFlags(SERVER_FLAGS, argv, 'cc-metric-store');
  if (parsed.kind === 'help') return { exit: 0, stream: 'stderr', text: `${parsed.usage}${commandsText()}` };
  if (parsed.kind === 'usageError') return usageExit(parsed.message, parsed.usage);
  const { values, given, rest } = parsed;
  if (values.version) return { exit: 0, stream: 'stdout', text: versionText() };
  if (rest.length > 0) return usageExit(`unexpected argument ${JSON.stringify(rest[0])}: only flags are known`);
  const loglevel = LOG_LEVELS.find((level) => level === values.loglevel);
  if (loglevel === undefined) {
    const found = JSON.stringify(values.loglevel);
    return usageExit(`invalid value ${found} for flag -loglevel: expected one of ${LOG_LEVELS.join(', ')}`);
  }
  return {
    config: values.config,
    dev: values.dev,
    loglevel: given.has('loglevel') ? loglevel : undefined,
    logdate: values.logdate,
    cleanupCheckpoints: values['cleanup-checkpoints'],
    checkConfig: values['check-config'],
    gops: values.gops,
  };
}

function usageExit(message: string, usage = ''): CliExit {
  return { exit: 2, stream: 'stderr', text: `${message}\n${usage}` };
}
