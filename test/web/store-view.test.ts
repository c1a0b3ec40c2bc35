/** The view of the store in Chromium: what it shows is what the API says. */
import { expect, it } from 'vitest';
import { formatBytes, formatCount } from '../../web/src/model/values/numbers.js';
import { ask } from '../support/client.js';
import { LIMIT } from '../support/limits.js';
import { barriersOf, pageDriver, panelOf } from './page-driver.js';

const driver = pageDriver({ nodes: 24, dead: 0, late: 0, hot: 0 });

async function api<T>(path: string): Promise<T> {
  return JSON.parse((await ask(driver.cluster.server.port, path)).body) as T;
}

interface Part {
  metric: string;
  level: string;
  series: number;
}

it('says who eats the memory, by metric and level, as the API counts it', async () => {
  const page = await driver.openAt('?view=store');
  const table = panelOf(page, 'memory by metric and level');
  await table.waitFor();
  const { contents, fullRetention } = await api<{ contents: Part[]; fullRetention: { bytes: number } }>(
    '/api/contents',
  );
  const rows = (await table.getByRole('row').allInnerTexts()).slice(1).map((row) => row.split('\t'));
  expect(rows.map(([metric, level, series]) => [metric, level, series].join(' ')).sort()).toEqual(
    contents.map(({ metric, level, series }) => `${metric} ${level || 'node'} ${formatCount(series)}`).sort(),
  );
  expect(await panelOf(page, 'Who eats the memory').innerText()).toContain(
    `at full retention about ${formatBytes(fullRetention.bytes)}`,
  );
  // The largest is drawn with its name.
  const map = page.getByRole('img', { name: 'Memory by metric and level' });
  expect(await map.getAttribute('aria-label')).toContain(`The largest: ${rows[0]?.[0]} `);
  await map.locator('.level').first().hover();
  await expect.poll(() => page.locator('.said strong').innerText(), { timeout: LIMIT }).toBe(rows[0]?.[0]);
});

it('sorts by a column, and back', async () => {
  const page = await driver.openAt('?view=store');
  const table = panelOf(page, 'memory by metric and level');
  await table.getByRole('button', { name: 'series' }).click();
  const { contents } = await api<{ contents: Part[] }>('/api/contents');
  const most = Math.max(...contents.map(({ series }) => series));
  const first = () => table.getByRole('row').nth(1).getByRole('cell').nth(2).innerText();
  expect(await first()).toBe(formatCount(most));
  await table.getByRole('button', { name: 'series' }).click();
  expect(await first()).toBe(formatCount(Math.min(...contents.map(({ series }) => series))));
});

it('shows refusals with the newest example of each, and who sent them', async () => {
  const { port } = driver.cluster.server;
  const page = await driver.openAt('?view=store');
  await ask(port, '/api/write?cluster=alex', { body: 'cpu_load,hostname=f9 value=abc\ncpu_load value=1' });
  const refused = panelOf(page, 'Refused lines');
  await refused.getByText('cpu_load,hostname=f9 value=abc').waitFor();
  expect(await refused.innerText()).toContain('no host: expected a tag "hostname" or "host"');
  const writers = panelOf(page, 'writers by address').getByRole('row').nth(1);
  await expect.poll(() => writers.innerText(), { timeout: LIMIT }).toMatch(/^127\.0\.0\.1\t.*\tline 1: bad value/);
});

it('names what arrives without being configured, and what to write into the configuration', async () => {
  const now = Math.floor(Date.now() / 1000);
  const lines = [
    `fan_speed,hostname=f1,type=node value=1 ${now - 60}`,
    `fan_speed,hostname=f1,type=node value=1 ${now}`,
  ];
  await driver.cluster.write(lines.join('\n'));
  const page = await driver.openAt('?view=store');
  const row = panelOf(page, 'metrics that are not configured').getByRole('row').nth(1);
  await expect.poll(() => row.innerText(), { timeout: LIMIT }).toMatch(/^fan_speed\t2\t1 min\tnode\t/);
  await page.getByText('entries for “metrics”').click();
  expect(JSON.parse(await panelOf(page, 'Not configured').locator('pre').innerText())).toEqual({
    fan_speed: { frequency: 60, aggregation: null },
  });
});

it('says what is safe, and how the server is configured', async () => {
  const page = await driver.openAt('?view=store');
  await panelOf(page, 'Is it safe?').getByText('the last second: the log is synced every second').waitFor();
  const status = await api<{ partitions: unknown[] }>('/api/status');
  expect(await panelOf(page, 'figures of the partitions').getByRole('row').count()).toBe(status.partitions.length + 1);
  expect(await panelOf(page, 'Configuration').innerText()).toMatch(/retention-in-memory\s+2 d/);
  expect(await panelOf(page, 'configured metrics').innerText()).toMatch(/mem_bw\t1 min\tsum\tdouble/);
  await panelOf(page, 'NATS').getByText('Not configured.').waitFor();
});

it('has no barriers, in light and dark', async () => {
  const page = await driver.openAt('?view=store');
  await panelOf(page, 'memory by metric and level').waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await barriersOf(page)).toEqual([]);
  }
});

it('takes the unit of a metric from its lines, where the configuration has none', async () => {
  const [node = ''] = driver.cluster.named('well');
  const line = `cpu_load,hostname=${node},type=node,unit=furlongs value=7`;
  await driver.cluster.write(`${line} ${Math.floor(Date.now() / 1000)}`);
  const page = await driver.openAt('?view=matrix&metric=cpu_load&range=1h');
  const image = page.locator('canvas.over');
  await image.waitFor();
  const { width = 0, height = 0 } = (await image.boundingBox()) ?? {};
  await image.hover({ position: { x: 0.5 * width, y: 0.5 * height } });
  await expect.poll(() => page.locator('.cell strong').innerText(), { timeout: LIMIT }).toMatch(/furlongs$/);
});
