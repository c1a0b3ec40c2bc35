/**
 * Entry: `node dist/export.js`: writes what a stopped server has stored as checkpoints of the reference, from which the
 * reference can start. Nothing of the server's own files is changed.
 */
import { existsSync } from 'node:fs';
import { type FlagTable, parseGoFlags } from '../base/flags.js';
import { configureLog, logger } from '../base/log.js';
import { loadConfig } from '../config/load.js';
import { ConfigError } from '../config/problems.js';
import { exportStore } from '../export/export-store.js';
import { formatTime } from '../export/series-summary.js';
import { acquireLock } from '../ops/lock.js';

const FLAGS = {
  config: {
    kind: 'string',
    default: './config.json',
    placeholder: 'FILE',
    usage: "The server's configuration: where its checkpoints are, which metrics there are, how long the retention is",
  },
  dir: {
    kind: 'string',
    default: '',
    placeholder: 'DIR',
    usage: 'Export from DIR, a copy of the checkpoint directory, instead of the one that the configuration names',
  },
  out: {
    kind: 'string',
    default: '',
    placeholder: 'DIR',
    usage: 'Write below DIR, which must not hold checkpoints yet',
  },
  format: {
    kind: 'string',
    default: 'bin',
    placeholder: 'FORMAT',
    usage: 'bin (values in single precision, as the reference has them) or json (all bits)',
  },
  from: { kind: 'int', default: 0, placeholder: 'SECONDS', usage: 'Unix time; absent: one retention before the end' },
  to: { kind: 'int', default: 0, placeholder: 'SECONDS', usage: 'Unix time; absent: behind the newest sample' },
} as const satisfies FlagTable;

function usageError(message: string, usage = ''): number {
  process.stderr.write(`${message}\n${usage}`);
  return 2;
}

async function main(argv: string[]): Promise<number> {
  const parsed = parseGoFlags(FLAGS, argv, 'cc-metric-store export');
  if (parsed.kind === 'help') {
    process.stderr.write(parsed.usage);
    return 0;
  }
  if (parsed.kind === 'usageError') return usageError(parsed.message, parsed.usage);
  const { values, given, rest } = parsed;
  const { format, out, dir } = values;
  if (rest.length) return usageError(`unexpected argument ${JSON.stringify(rest[0])}: only flags are known`);
  if (!out) return usageError('-out is missing: where to write the checkpoints');
  if (format !== 'bin' && format !== 'json') {
    return usageError(`invalid value ${JSON.stringify(format)} for flag -format: expected bin or json`);
  }
  const { config } = loadConfig(values.config);
  if (dir) config.store.checkpoints.directory = dir;
  const root = config.store.checkpoints.directory;
  if (!existsSync(root)) throw new Error(`${root}: there is no such checkpoint directory`);
  const lock = acquireLock(root);
  try {
    const request = {
      out,
      format,
      ...(given.has('from') && { from: values.from }),
      ...(given.has('to') && { to: values.to }),
    } as const;
    const done = await exportStore(config, request, logger('export'));
    if (!done) {
      process.stdout.write(`${root} holds no samples, nothing was written\n`);
      return 0;
    }
    const span = `from ${formatTime(done.from)} to ${formatTime(done.to)}`;
    process.stdout.write(`${done.files} files of ${done.hosts} hosts written to ${out}, ${span}\n`);
    return 0;
  } finally {
    lock.release();
  }
}

configureLog({ level: 'info' });
main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const log = logger('export');
    if (error instanceof ConfigError) for (const problem of error.problems) log.crit(problem);
    else log.crit('nothing was exported, or not all of it', error);
    process.exit(1);
  },
);
