/**
 * Entry: `cc-metric-store metrics-seen`: asks a running server for metrics that arrive without being configured, and prints them
 * with a configuration to paste. Exit status: 0 also when there are none, 1 the server did not answer as expected, 2 wrong usage.
 */

import { type FlagTable, parseGoFlags } from '../base/flags.js';
import { errorText, escapeControls } from '../base/log.js';
import type { MetricConfig } from '../config/config.js';

const COMMAND = 'cc-metric-store metrics-seen';
const TIMEOUT_MS = 30_000;

const FLAGS = {
  url: { kind: 'string', default: 'http://localhost:8082', placeholder: 'URL', usage: 'Base URL of the server' },
  jwt: { kind: 'string', default: '', placeholder: 'TOKEN', usage: 'JSON web token, if the server wants one' },
} as const satisfies FlagTable;

/** What GET /api/metrics-seen answers. */
interface Seen {
  unconfigured: {
    metric: string;
    samples: number;
    frequency: number | null;
    levels: string[];
    newest: number;
    example: string;
  }[];
  forgotten: number;
  metrics: Record<string, Pick<MetricConfig, 'frequency' | 'aggregation'>>;
}

async function main(argv: string[]): Promise<number> {
  const parsed = parseGoFlags(FLAGS, argv, COMMAND);
  if (parsed.kind === 'help') {
    process.stderr.write(parsed.usage);
    return 0;
  }
  if (parsed.kind === 'usageError') return fail(2, `${parsed.message}\n${parsed.usage}`);
  const { values, rest } = parsed;
  if (rest.length) return fail(2, `unexpected argument ${JSON.stringify(rest[0])}: only flags are known\n`);
  if (!URL.canParse(values.url) || !/^https?:$/.test(new URL(values.url).protocol)) {
    return fail(2, `-url ${JSON.stringify(values.url)}: expected http://HOST:PORT or https://HOST:PORT\n`);
  }
  try {
    print(await ask(new URL(values.url), values.jwt));
    return 0;
  } catch (error) {
    return fail(1, `cannot ask ${values.url}: ${escapeControls(errorText(error))}\n`);
  }
}

function fail(status: number, text: string): number {
  process.stderr.write(text);
  return status;
}

async function ask(base: URL, jwt: string): Promise<Seen> {
  const url = new URL(`${base.pathname.replace(/\/+$/, '')}/api/metrics-seen`, base);
  const headers = jwt === '' ? {} : { authorization: `Bearer ${jwt}` };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`it answers ${answer.status}: ${(await answer.text()).trim()}`);
  return (await answer.json()) as Seen;
}

function print({ unconfigured, forgotten, metrics }: Seen): void {
  const lines: string[] = [];
  if (unconfigured.length) {
    const rows = unconfigured.map(({ metric, samples, frequency, levels, example }) => [
      metric,
      String(samples),
      frequency === null ? '?' : `${frequency} s`,
      levels.join(', '),
      example,
    ]);
    lines.push(...table([['METRIC', 'SAMPLES', 'EVERY', 'LEVELS', 'EXAMPLE'], ...rows]));
  } else lines.push('Every metric that has arrived since the start is configured.');
  if (forgotten) lines.push('', `${forgotten} more names came than can be remembered.`);
  const entries = Object.entries(metrics);
  if (entries.length) {
    lines.push(
      '',
      'For "metrics" in the configuration, read again on SIGHUP; look at the aggregations, they are guessed:',
      '',
    );
    lines.push(
      entries.map(([name, entry]) => `  ${escapeControls(JSON.stringify(name))}: ${JSON.stringify(entry)}`).join(',\n'),
    );
  }
  if (unconfigured.some(({ frequency }) => frequency === null)) {
    lines.push('', 'Those with ? came once only so far: ask again when their next sample is there.');
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** The rows in columns. Names come from whoever sends lines, so control characters are made visible. */
function table(rows: readonly string[][]): string[] {
  const cells = rows.map((row) => row.map(escapeControls));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells.map((row) =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

process.exitCode = await main(process.argv.slice(2));
