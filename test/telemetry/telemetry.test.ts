import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { captureLog } from '../../src/base/log.js';
import { StoreError } from '../../src/store/store.js';
import { until } from '../support/wait.js';
import { bench, fullOutput } from './fixtures.js';

/** The value of a sample line, by its name with labels. */
function value(text: string, sample: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

describe('/metrics', () => {
  it('passes promtool', async () => {
    const run = spawnSync('promtool', ['check', 'metrics'], { input: await fullOutput(), encoding: 'utf8' });
    expect(run.error).toBeUndefined();
    expect(`${run.stdout}${run.stderr}`).toBe('');
    expect(run.status).toBe(0);
  });

  it('sums the partitions', async () => {
    const text = await fullOutput();
    expect(value(text, 'ccms_lines_total')).toBe(2000);
    expect(value(text, 'ccms_samples_stored_total')).toBe(1800);
    expect(value(text, 'ccms_lines_skipped_total')).toBe(194);
    expect(value(text, 'ccms_lines_refused_total{reason="bad_value"}')).toBe(6);
    expect(value(text, 'ccms_lines_refused_total{reason="no_cluster"}')).toBe(0);
    expect(value(text, 'ccms_samples')).toBe(80_000);
    expect(value(text, 'ccms_memory_bytes{kind="sealed_blocks"}')).toBe(6000);
    expect(value(text, 'ccms_memory_bytes{kind="rollups"}')).toBe(1000);
    expect(value(text, 'ccms_blocks{codec="constant"}')).toBe(8);
    expect(value(text, 'ccms_log_sync_seconds_total')).toBe(1);
    expect(value(text, 'ccms_log_failed{partition="0"}')).toBe(0);
    expect(value(text, 'ccms_log_failed{partition="1"}')).toBe(1);
    expect(value(text, 'ccms_checkpoint_last_timestamp_seconds')).toBe(1_700_000_000);
    expect(value(text, 'ccms_checkpoint_last_duration_seconds')).toBe(1.5);
    expect(value(text, 'ccms_checkpoints_total')).toBe(3);
    expect(value(text, 'ccms_checkpoint_written_bytes_total')).toBe(10_001);
  });

  it('counts requests and jobs', async () => {
    const text = await fullOutput();
    expect(value(text, 'ccms_http_requests_total{route="/api/query",status="401"}')).toBe(1);
    expect(value(text, 'ccms_http_request_duration_seconds_count{route="/api/query"}')).toBe(2);
    expect(value(text, 'ccms_http_request_duration_seconds_bucket{le="0.0025",route="/api/query"}')).toBe(1);
    expect(value(text, 'ccms_http_body_bytes_sum{route="/api/write"}')).toBe(50_000);
    expect(value(text, 'ccms_job_duration_seconds_sum{job="checkpoint"}')).toBe(2);
    expect(value(text, 'ccms_job_failures_total{job="retention"}')).toBe(1);
    expect(value(text, 'ccms_job_failures_total{job="cleanup"}')).toBe(0);
    expect(value(text, 'ccms_freed_blocks_total')).toBe(12);
  });

  it('shows the state of NATS, or nothing about it', async () => {
    const { telemetry, nats } = bench();
    nats.connection = 'reconnecting';
    nats.droppedMessages = 5;
    nats.lastError = 'node0001: secret';
    const text = await telemetry.metrics();
    expect(value(text, 'ccms_nats_connected')).toBe(0);
    expect(value(text, 'ccms_nats_dropped_messages_total')).toBe(5);
    nats.connection = 'connected';
    expect(value(await telemetry.metrics(), 'ccms_nats_connected')).toBe(1);
    const without = bench({ nats: () => undefined });
    expect(await without.telemetry.metrics()).not.toContain('ccms_nats');
    telemetry.close();
    without.telemetry.close();
  });

  it('names no host, metric, file or error', async () => {
    const text = await fullOutput();
    expect(text).not.toMatch(/node0001|ENOSPC|secret/);
    const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map((match) => match[1]));
    expect([...labels].sort()).toEqual([
      'codec',
      'commit',
      'job',
      'kind',
      'le',
      'node',
      'partition',
      'phase',
      'quantile',
      'reason',
      'route',
      'status',
      'version',
    ]);
  });

  it('starts every name with ccms_', async () => {
    const names = (await fullOutput()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((line) => !line.startsWith('ccms_'))).toEqual([]);
  });

  it('leaves the store out while it is loading', async () => {
    const { telemetry, store } = bench();
    store.state = 'loading';
    const text = await telemetry.metrics();
    expect(value(text, 'ccms_ready')).toBe(0);
    expect(text).not.toContain('ccms_series');
    expect(value(text, 'ccms_scrape_errors_total')).toBe(0);
    telemetry.close();
  });

  it('answers also when the store does not', async () => {
    const lines: string[] = [];
    const release = captureLog((line) => lines.push(line));
    const { telemetry, store } = bench();
    store.stats = async () => {
      throw new StoreError('INTERNAL', 'a worker died');
    };
    await telemetry.metrics();
    const text = await telemetry.metrics();
    release();
    expect(value(text, 'ccms_ready')).toBe(1);
    expect(text).not.toContain('ccms_series');
    expect(value(text, 'ccms_scrape_errors_total')).toBe(2);
    expect(lines).toEqual(['<4>[WARN] telemetry: the store does not give its figures for /metrics: a worker died']);
    telemetry.close();
  });

  it('measures how late the event loop is', async () => {
    const { telemetry } = bench();
    const most = (text: string): number => value(text, 'ccms_event_loop_lag_seconds{quantile="1"}') ?? Number.NaN;
    await sleep(50);
    await telemetry.metrics();
    // Node's monitor needs one undisturbed interval after its reset.
    await sleep(50);
    const block = performance.now() + 500;
    while (performance.now() < block);
    await sleep(30);
    const text = await telemetry.metrics();
    expect(most(text)).toBeGreaterThan(0.4);
    // Each answer is about the time since the last one: the block is soon past, and the sum keeps it.
    await until(async () => most(await telemetry.metrics()) < 0.4);
    expect(value(await telemetry.metrics(), 'ccms_event_loop_lag_seconds_sum')).toBeGreaterThan(0.4);
    telemetry.close();
  });
});
