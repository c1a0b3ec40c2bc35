import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Measured } from '../bench/figures.js';
import { temporaryDirectory } from './support/directories.js';
import { runProcess } from './support/processes.js';

/** Everything that a run at the smallest size must tell, in the table's order. */
const EXPECTED = [
  ...['lines_per_cpu', 'lines_per_s', 'write_p50', 'write_p99', 'memory_base', 'memory_full', 'stall_ingest'],
  ...[
    'query_node',
    'query_job_rollup',
    'query_job_threads',
    'query_job_resampled',
    'query_statistics',
    'query_status',
  ].flatMap((key) => [key, `${key}_p99`, `${key}_cpu`]),
  ...['stall_queries', 'disk_log', 'restart_kill', 'stop', 'restart_stop', 'disk_checkpoint'],
  ...['memory_sample', 'checkpoint_write_p99'],
  ...['fields_lines_per_cpu', 'fields_lines_per_s', 'fields_write_p50', 'fields_write_p99'],
];

let dir: string;
beforeAll(() => {
  dir = temporaryDirectory();
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  symlinkSync(resolve('node_modules'), join(dir, 'node_modules'));
  const compiled = spawnSync('node_modules/.bin/tsc', ['-p', 'bench/tsconfig.json', '--outDir', dir], {
    encoding: 'utf8',
  });
  if (compiled.status !== 0) throw new Error(compiled.stdout);
});

function bench(...argv: string[]) {
  const sizes = ['--hosts', '2', '--steps', '20', '--threads', '4', '--rounds', '1', '--repetitions', '2'];
  const out = join(dir, 'results');
  return runProcess(process.execPath, [join(dir, 'bench/main.js'), ...sizes, '--out', out, ...argv]);
}

describe('bench', () => {
  it('measures the built server in every respect, beside itself as the peer', async () => {
    const own = `node ${resolve('dist/server.js')} -config {config} -loglevel err`;
    const { status, stdout, stderr } = await bench('--peer', own);
    expect(stderr).toContain('round 1 of 1: peer');
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^ +server +peer +times better\n/);
    const [file = ''] = readdirSync(join(dir, 'results'));
    const { results } = JSON.parse(readFileSync(join(dir, 'results', file), 'utf8')) as {
      results: { figures: Measured[] }[];
    };
    expect(results).toHaveLength(2);
    for (const { figures } of results) {
      expect(figures.map(({ key }) => key)).toEqual(EXPECTED);
      // At this size processor time is a tick or none, the lag may be nothing, and memory can shrink.
      const certain = figures.filter(({ key }) => !/cpu$|^stall|^memory_sample/.test(key));
      for (const { key, median } of certain) {
        expect(median, key).toBeGreaterThan(0);
      }
    }
  });

  it('measures a fleet over connections of its own, plainly and over TLS', async () => {
    const { status, stdout, stderr } = await bench('--only', 'fleet', '--fleet-hosts', '3', '--fleet-seconds', '1');
    expect(status, stderr).toBe(0);
    for (const name of ['plain', 'TLS']) {
      expect(stdout).toMatch(new RegExp(`^fleet ${name}: ingest, 3 connections, lines/s +[\\d,.]+$`, 'm'));
      expect(stdout).toMatch(new RegExp(`^fleet ${name}, 3 bodies a minute, spread, % of a core +[\\d.]+$`, 'm'));
    }
  });

  it('ends with what is wrong when the server does not start', async () => {
    const { status, stderr } = await bench('--server', 'node -e process.exit(3) {config}');
    expect(status).toBe(1);
    expect(stderr).toContain('bench: the server exited: node -e');
    const [, left = ''] = / in (\S+)\n/.exec(stderr) ?? [];
    expect(left).toContain('ccms-bench-');
    expect(existsSync(left)).toBe(false);
  });
});
