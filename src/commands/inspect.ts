/**
 * Entry: `node dist/inspect.js FILE|DIR...`: prints what files hold, ours and the reference's, from when to when, and whether they
 * are whole. Reads only, so it may run beside a server; what that writes or removes meanwhile may look unfinished.
 *
 * Exit status: 0 all is whole, 1 something is damaged, torn or can't be read, 2 wrong usage.
 */

import { type FlagTable, parseGoFlags } from '../base/flags.js';
import { errorText, escapeControls } from '../base/log.js';
import { describeFile, filesBelow, isDamage } from '../export/describe-file.js';

const FLAGS = {
  damaged: { kind: 'bool', default: false, usage: 'Print only files that are not whole' },
} as const satisfies FlagTable;

async function main(argv: string[]): Promise<number> {
  const parsed = parseGoFlags(FLAGS, argv, 'cc-metric-store inspect [flags] FILE|DIR...');
  if (parsed.kind === 'help') {
    process.stderr.write(parsed.usage);
    return 0;
  }
  if (parsed.kind === 'usageError' || !parsed.rest.length) {
    const message = parsed.kind === 'usageError' ? parsed.message : 'nothing to inspect: name files or directories';
    process.stderr.write(`${message}\n${parsed.kind === 'usageError' ? parsed.usage : ''}`);
    return 2;
  }
  let damaged = 0;
  let files = 0;
  for (const path of parsed.rest) {
    for (const file of below(path)) {
      files++;
      const lines = await describe(file);
      const bad = lines.some(isDamage);
      if (bad) damaged++;
      if (bad || !parsed.values.damaged) process.stdout.write(`${lines.map(escapeControls).join('\n')}\n\n`);
    }
  }
  process.stdout.write(`${files} files, ${damaged === 0 ? 'all whole' : `${damaged} not whole`}\n`);
  return damaged ? 1 : 0;
}

function below(path: string): string[] {
  try {
    return filesBelow(path);
  } catch {
    // Reading it says what is wrong.
    return [path];
  }
}

async function describe(path: string): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const line of describeFile(path)) lines.push(line);
  } catch (error) {
    if (!lines.length) lines.push(path);
    lines.push(`damaged: it can't be read: ${errorText(error)}`);
  }
  return lines;
}

process.exitCode = await main(process.argv.slice(2));
