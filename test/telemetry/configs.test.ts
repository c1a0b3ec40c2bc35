import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';
import { fullOutput } from './fixtures.js';

const ALERTS = resolve('configs/prometheus-alerts.yml');
const directory = temporaryDirectory();
let names: Set<string>;

beforeAll(async () => {
  const samples = (await fullOutput()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  names = new Set(samples.map((line) => line.replace(/[{ ].*/, '')));
});

/** Names that are not in the output of /metrics. */
function unknownNames(text: string): string[] {
  const named = new Set(text.match(/\bccms_\w+/g) ?? []);
  expect(named.size).toBeGreaterThan(5);
  return [...named].filter((name) => !names.has(name));
}

function promtool(...argv: string[]): void {
  const run = spawnSync('promtool', argv, { encoding: 'utf8' });
  expect(run.error).toBeUndefined();
  expect(`${run.status}\n${run.stdout}${run.stderr}`).toMatch(/^0\n/);
}

/** A histogram's name from that of its samples. */
function family(name: string): string {
  return name.replace(/_(bucket|sum|count)$/, '');
}

interface Panel {
  type: string;
  title: string;
  targets?: { expr: string }[];
  gridPos: { x: number; y: number; w: number; h: number };
}

describe('the Grafana dashboard', () => {
  const dashboard = JSON.parse(readFileSync('configs/grafana-dashboard.json', 'utf8')) as { panels: Panel[] };
  const targets = dashboard.panels.flatMap((panel) => panel.targets ?? []);

  it('names only metrics that are exposed', () => {
    expect(unknownNames(JSON.stringify(dashboard))).toEqual([]);
    expect(targets.length).toBeGreaterThan(30);
  });

  it('shows every metric that is exposed', () => {
    const text = JSON.stringify(dashboard);
    expect([...names].map(family).filter((name) => !text.includes(name))).toEqual([
      // An alert tells.
      'ccms_clock_trusted',
      // The sum of three that are shown.
      'ccms_lines_total',
      // Of use in alerts and when something is searched for only.
      'ccms_partitions',
      'ccms_log_segments',
      'ccms_checkpoints_total',
      'ccms_nats_batches_total',
      'ccms_nats_bad_lines_total',
      'ccms_nats_dropped_bytes_total',
      // Of a cluster: alerts tell, and /api/cluster shows.
      'ccms_cluster_members',
      'ccms_cluster_copies',
      'ccms_cluster_copies_ready',
      'ccms_cluster_copies_missing',
      'ccms_cluster_partitions_missing',
      'ccms_cluster_lag_seconds',
      'ccms_cluster_cut_off',
      'ccms_cluster_messages_total',
      'ccms_cluster_publish_seconds_total',
      'ccms_cluster_publish_failures_total',
      'ccms_cluster_failovers_total',
      'ccms_cluster_stale_answers_total',
      'ccms_cluster_bootstrap_bytes_total',
      'ccms_process_start_time_seconds',
    ]);
  });

  it('asks in PromQL that promtool takes', () => {
    const rules = targets.map(({ expr }, index) => {
      const query = expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*');
      return `      - { record: 'panel${index}', expr: ${JSON.stringify(query)} }`;
    });
    const file = join(directory, 'panels.yml');
    writeFileSync(file, `groups:\n  - name: panels\n    rules:\n${rules.join('\n')}\n`);
    promtool('check', 'rules', file);
  });

  it('lays its panels out without overlaps', () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), `${title} overlaps another panel`).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
  });
});

describe('the alert rules', () => {
  it('pass promtool and name only metrics that are exposed', () => {
    promtool('check', 'rules', ALERTS);
    expect(unknownNames(readFileSync(ALERTS, 'utf8'))).toEqual([]);
  });

  it('are all documented, as every metric is', () => {
    const alerts = [...readFileSync(ALERTS, 'utf8').matchAll(/- alert: (\w+)/g)].map((match) => match[1]);
    const docs = readFileSync('docs/telemetry.md', 'utf8');
    expect(alerts.filter((alert) => !docs.includes(`\`${alert}\``))).toEqual([]);
    const families = new Set([...names].map(family));
    expect([...families].filter((name) => !new RegExp(`\`${name}[\`{]`).test(docs))).toEqual([]);
    expect(unknownNames(docs).filter((name) => !families.has(name))).toEqual([]);
  });

  it('fire when they should, and only then', () => {
    // Series as promtool writes them: start, step a minute, number of steps.
    const healthy: Record<string, string> = {
      ccms_build_info: '1x180',
      ccms_ready: '1x180',
      'ccms_log_failed{partition="0"}': '0x180',
      'ccms_missing_files{partition="0"}': '0x180',
      ccms_clock_trusted: '1x180',
      ccms_samples_stored_total: '0+1000x180',
      ccms_lines_total: '0+1000x180',
      'ccms_lines_refused_total{reason="bad_value"}': '0+1x180',
      ccms_checkpoint_last_timestamp_seconds: '0+60x180',
      ccms_checkpoint_interval_seconds: '1800x180',
      ccms_process_start_time_seconds: '0x180',
      'ccms_job_failures_total{job="cleanup"}': '3x180',
      'ccms_memory_used_bytes{partition="0"}': '1000x180',
      ccms_memory_cap_bytes: '0x180',
      ccms_nats_connected: '1x180',
      ccms_cluster_partitions_missing: '0x180',
      ccms_cluster_copies_missing: '0x180',
      ccms_cluster_lag_seconds: '0.1x180',
      ccms_cluster_cut_off: '0x180',
      ccms_nats_dropped_messages_total: '9x180',
      'ccms_http_requests_total{route="/api/write",status="200"}': '0+1000x180',
      'ccms_http_requests_total{route="/api/write",status="503"}': '0+1x180',
      'ccms_http_request_duration_seconds_bucket{route="/api/query",le="1"}': '0+60x180',
      'ccms_http_request_duration_seconds_bucket{route="/api/query",le="5"}': '0+60x180',
      'ccms_http_request_duration_seconds_bucket{route="/api/query",le="+Inf"}': '0+60x180',
      ccms_log_sync_seconds_total: '0+1x180',
      ccms_log_syncs_total: '0+60x180',
      'ccms_event_loop_lag_seconds{quantile="0.99"}': '0.01x180',
      'ccms_event_loop_lag_seconds{quantile="1"}': '3x180',
    };
    const ill: Record<string, Record<string, string>> = {
      MetricStoreNotReady: { ccms_ready: '0x180' },
      MetricStoreLogFailed: { 'ccms_log_failed{partition="0"}': '1x180' },
      MetricStoreFilesMissing: { 'ccms_missing_files{partition="0"}': '2x180' },
      MetricStoreNoSamples: { ccms_samples_stored_total: '5x180' },
      MetricStoreBadLines: { 'ccms_lines_refused_total{reason="bad_value"}': '0+50x180' },
      MetricStoreClockWrong: { ccms_clock_trusted: '0x180' },
      MetricStoreCheckpointOverdue: { ccms_checkpoint_last_timestamp_seconds: '0x180' },
      MetricStoreJobFailed: { 'ccms_job_failures_total{job="cleanup"}': '0+1x180' },
      MetricStoreMemoryNearCap: { ccms_memory_cap_bytes: '1010x180' },
      MetricStorePartitionFull: { 'ccms_memory_used_bytes{partition="0"}': '4e9x180' },
      MetricStoreNatsDisconnected: { ccms_nats_connected: '0x180' },
      MetricStoreClusterPartitionsMissing: { ccms_cluster_partitions_missing: '2x180' },
      MetricStoreClusterCopiesMissing: { ccms_cluster_copies_missing: '2x180' },
      MetricStoreClusterLag: { ccms_cluster_lag_seconds: '90x180' },
      MetricStoreClusterCutOff: { ccms_cluster_cut_off: '1x180' },
      MetricStoreNatsDropping: { ccms_nats_dropped_messages_total: '0+1x180' },
      MetricStoreServerErrors: { 'ccms_http_requests_total{route="/api/write",status="503"}': '0+50x180' },
      MetricStoreSlowQueries: { 'ccms_http_request_duration_seconds_bucket{route="/api/query",le="1"}': '0x180' },
      MetricStoreSlowLogSync: { ccms_log_sync_seconds_total: '0+59x180' },
      MetricStoreEventLoopLag: { 'ccms_event_loop_lag_seconds{quantile="0.99"}': '0.5x180' },
    };
    const cases: Record<string, Record<string, string>> = { healthy, MetricStoreAbsent: {} };
    for (const [alert, sickness] of Object.entries(ill)) cases[alert] = { ...healthy, ...sickness };
    const expected = Object.keys(cases).map((name) => [name, name === 'healthy' ? [] : [name]]);
    expect(firingAlerts(cases)).toEqual(Object.fromEntries(expected));
  });
});

/** The alerts that fire after three hours of each case's series. One run of promtool for all: it starts slowly. */
function firingAlerts(cases: Record<string, Record<string, string>>): Record<string, string[]> {
  const tests = Object.entries(cases).map(([name, series]) => {
    const firing = `count by (alertname) (ALERTS{alertstate="firing"})`;
    const expr = `label_replace(${firing}, "case", "${name}", "", "")`;
    return {
      interval: '1m',
      input_series: Object.entries(series).map(([metric, values]) => ({ series: metric, values })),
      promql_expr_test: [{ expr, eval_time: '3h', exp_samples: [] }],
    };
  });
  const file = join(directory, 'alerts-test.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ rule_files: [ALERTS], evaluation_interval: '1m', tests }));
  const run = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  const text = `${run.stdout}${run.stderr}`;
  // Nothing is expected, so whatever fires makes the test "fail" and is printed.
  if (!text.includes('got:')) throw new Error(`promtool test rules:\n${text}`);
  const fired = Object.fromEntries(Object.keys(cases).map((name): [string, string[]] => [name, []]));
  for (const [, alert, name] of text.matchAll(/\{alertname="(\w+)", case="(\w+)"\}/g))
    fired[name ?? '']?.push(alert ?? '');
  return fired;
}
