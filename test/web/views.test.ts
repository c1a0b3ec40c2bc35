/** Matrix, node, nodes together: in Chromium, on a cluster of 200 nodes. What they show is what the API says. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { compressHostlist } from '../../web/src/model/nodes/hostlist.js';
import { query } from '../support/client.js';
import { LIMIT } from '../support/limits.js';
import { barriersOf, choice, pageDriver, panelOf, shown } from './page-driver.js';

const driver = pageDriver();

/** A quarter of an hour that is over, so that no more samples come into it. */
function pastSpan(): { from: number; to: number } {
  const to = Math.floor(Date.now() / 60_000) * 60 - 600;
  return { from: to - 900, to };
}

/** The API's answer for one metric of a node. */
async function answerOf(metric: string, host: string, span: { from: number; to: number }, more: object = {}) {
  const queries = [{ metric, host, ...more }];
  const { results } = await query(driver.cluster.server.port, {
    cluster: 'alex',
    ...span,
    'with-padding': false,
    queries,
  });
  return results[0]?.[0];
}

const rangeOf = (page: Page): string | null => new URL(page.url()).searchParams.get('range');

/** The coolest nodes: which jobs run depends on the clock, and a hot idle node is no hotter than a busy one. */
async function coolNodes(count: number): Promise<string[]> {
  const hosts = driver.cluster.named('well');
  const to = Math.floor(Date.now() / 1000);
  const { results } = await query(driver.cluster.server.port, {
    cluster: 'alex',
    from: to - 900,
    to,
    'with-stats': true,
    queries: hosts.map((host) => ({ metric: 'cpu_temp', host })),
  });
  const means = hosts.map((host, i) => ({ host, mean: results[i]?.[0]?.avg ?? Number.POSITIVE_INFINITY }));
  means.sort((a, b) => a.mean - b.mean);
  return means.slice(0, count).map(({ host }) => host);
}

const wellNodes = (count: number): string[] => driver.cluster.named('well').slice(0, count);

describe('matrix', () => {
  it('names node, time and value under the cross-hair, as the API has it', async () => {
    const { from, to } = pastSpan();
    const page = await driver.openAt(`?view=matrix&metric=mem_used&range=${from}-${to}`);
    const image = page.locator('canvas.over');
    await image.waitFor();
    const { width = 0, height = 0 } = (await image.boundingBox()) ?? {};
    for (const [x, y] of [
      [0.3, 0.1],
      [0.5, 0.5],
      [0.9, 0.8],
    ] as const) {
      await image.hover({ position: { x: x * width, y: y * height } });
      const cell = page.locator('.cell');
      await expect.poll(() => cell.innerText(), { timeout: LIMIT }).toMatch(/^[fg]\d{4}, /);
      const [node = ''] = (await cell.innerText()).split(',');
      const full = (await cell.locator('span[title]').getAttribute('title')) ?? '';
      const time = Date.parse(`${full} GMT+0100`) / 1000;
      const series = await answerOf('mem_used', node, { from: time, to: time + 60 });
      expect(await cell.locator('strong').innerText()).toBe(shown('mem_used', series?.data?.[0]));
    }
  });

  it('zooms into what is dragged open, and a click opens the node', async () => {
    const page = await driver.openAt('?view=matrix&metric=cpu_load&range=1h');
    const image = page.locator('canvas.over');
    await image.waitFor();
    const box = (await image.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(box.x + 0.5 * box.width, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.7 * box.width, box.y + 250, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => rangeOf(page), { timeout: LIMIT }).toMatch(/^\d+-\d+$/);
    const [from = 0, to = 0] = (rangeOf(page) ?? '').split('-').map(Number);
    expect(to - from).toBeGreaterThan(400);
    expect(to - from).toBeLessThan(1500);
    await page.getByRole('button', { name: 'all 200 nodes' }).click();
    await image.click({ position: { x: box.width / 2, y: 5 } });
    await expect.poll(() => new URL(page.url()).searchParams.get('view'), { timeout: LIMIT }).toBe('node');
    await page.goBack();
    await image.waitFor();
    await page.goBack();
    await expect.poll(() => rangeOf(page), { timeout: LIMIT }).toBe('1h');
  });

  it('orders rows by value: the hot node is on top, and found with the keyboard', async () => {
    const page = await driver.openAt('?view=matrix&metric=cpu_temp&sort=value&range=15m');
    await page.locator('canvas.over').waitFor();
    await page.getByRole('application').focus();
    await page.keyboard.press('ArrowDown');
    const [hot = ''] = driver.cluster.named('hot');
    await expect.poll(() => page.locator('.cell').innerText(), { timeout: LIMIT }).toContain(`${hot}, `);
    await choice(page, 'rows by').selectOption('likeness');
    expect(new URL(page.url()).searchParams.get('sort')).toBe('likeness');
  });

  it('has no barriers', async () => {
    const page = await driver.openAt('?view=matrix');
    await page.locator('canvas.over').waitFor();
    expect(await barriersOf(page)).toEqual([]);
  });
});

describe('node', () => {
  it('shows every metric with its newest value, and how the node is doing', async () => {
    const [node = ''] = driver.cluster.named('hot');
    const { from, to } = pastSpan();
    const page = await driver.openAt(`?view=node&node=${node}&range=${from}-${to}`);
    for (const metric of ['cpu_load', 'mem_used', 'cpu_power', 'cpu_temp', 'flops_any']) {
      const series = await answerOf(metric, node, { from: Math.floor(from / 60) * 60, to });
      const newest = series?.data?.filter((value) => value !== null).at(-1);
      await expect
        .poll(() => panelOf(page, metric).locator('.value').innerText(), { timeout: LIMIT })
        .toBe(shown(metric, newest));
    }
    await page.getByText('health: full').waitFor();
    // What only grows is shown by how fast.
    expect(await panelOf(page, 'ib_recv').locator('.value').innerText()).toMatch(/B\/s$/);
  });

  it('shows a metric large, with statistics of each socket', async () => {
    const [node = ''] = wellNodes(1);
    const { from, to } = pastSpan();
    const page = await driver.openAt(`?view=node&node=${node}&range=${from}-${to}`);
    await panelOf(page, 'mem_bw').getByRole('button', { name: 'mem_bw' }).click();
    expect(new URL(page.url()).searchParams.get('large')).toBe('mem_bw');
    const span = { from: Math.floor(from / 60) * 60, to };
    for (const socket of ['0', '1']) {
      const series = await answerOf('mem_bw', node, span, { type: 'socket', 'type-ids': [socket] });
      const row = panelOf(page, 'mem_bw, large')
        .getByRole('row')
        .filter({ hasText: `socket${socket}` });
      await row.waitFor();
      const cells = async (): Promise<string[]> => (await row.getByRole('cell').allInnerTexts()).slice(1, 4);
      const figures = [series?.avg, series?.min, series?.max].map((value) => shown('mem_bw', value));
      await expect.poll(cells, { timeout: LIMIT }).toEqual(figures);
    }
    await page.keyboard.press('Escape');
    expect(new URL(page.url()).searchParams.get('large')).toBeNull();
  });

  it('says when a node is dead, late, or not there', async () => {
    const [dead = ''] = driver.cluster.named('dead');
    const page = await driver.openAt(`?view=node&node=${dead}`);
    await page.getByText('dead, newest sample').waitFor();
    await page.getByText('health: failed').waitFor();
    await page.goto(`${driver.cluster.server.url}/?view=node&node=x9999`);
    await page.getByText('has no node x9999').waitFor();
    // The browser notes the answer to that.
    driver.opened.problems.length = 0;
  });

  it("lays the cluster's band behind the node's line", async () => {
    const [node = ''] = wellNodes(1);
    const page = await driver.openAt(`?view=node&node=${node}&range=1h`);
    const answered = await page.waitForResponse((response) => response.url().endsWith('/api/v1/query_range'));
    const { data } = (await answered.json()) as { data: { result: { metric: { q: string } }[] } };
    expect(data.result.map(({ metric }) => metric.q)).toEqual(['0.05', '0.5', '0.95']);
  });

  it('has no barriers', async () => {
    const [node = ''] = wellNodes(1);
    const page = await driver.openAt(`?view=node&node=${node}&large=flops_any`);
    await panelOf(page, 'flops_any, large').waitFor();
    expect(await barriersOf(page)).toEqual([]);
  });
});

describe('nodes together', () => {
  const table = (page: Page) => page.getByRole('region', { name: 'figures of the nodes' });

  it('reads a list as Slurm writes it, and has the figures of the API', async () => {
    const nodes = wellNodes(4);
    const { from, to } = pastSpan();
    const page = await driver.openAt(`?view=nodes&range=${from}-${to}`);
    await page.getByLabel('nodes', { exact: true }).fill(compressHostlist(nodes));
    await page.keyboard.press('Enter');
    await table(page).waitFor();
    expect(new URL(page.url()).searchParams.get('nodes')).toBe(compressHostlist(nodes));
    const header = (await table(page).getByRole('row').first().getByRole('columnheader').allInnerTexts()).map((text) =>
      text.trim(),
    );
    for (const node of nodes) {
      const cells = await table(page).getByRole('row').filter({ hasText: node }).getByRole('cell').allInnerTexts();
      for (const metric of ['cpu_load', 'mem_bw', 'cpu_power']) {
        const series = await answerOf(metric, node, { from: Math.floor(from / 60) * 60, to });
        // The API rounds its mean to two decimals.
        const values = (series?.data ?? []).filter((value) => value !== null);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const digits = (text: string | undefined): number => Number.parseFloat(text ?? '');
        const [here, there] = [digits(cells[header.indexOf(metric)]), digits(shown(metric, mean))];
        // Both are rounded, and added up in another order.
        expect(Math.abs(here - there), `${metric} of ${node}`).toBeLessThanOrEqual(0.002 * there + 0.001);
      }
    }
  });

  it('gives what is shown as a file', async () => {
    const nodes = wellNodes(2);
    const { from, to } = pastSpan();
    const page = await driver.openAt(`?view=nodes&nodes=${compressHostlist(nodes)}&range=${from}-${to}`);
    for (const [title, begins] of [
      ['CSV', 'query,cluster,hostname,metric,'],
      ['Arrow', '\xff\xff\xff\xff'],
      ['Parquet', 'PAR1'],
    ] as const) {
      const coming = page.waitForEvent('download');
      await page.getByRole('button', { name: title, exact: true }).click();
      const download = await coming;
      expect(download.suggestedFilename()).toBe(`alex-${from}-${to}.${title.toLowerCase()}`);
      const text = readFileSync(await download.path(), 'latin1');
      expect(text.slice(0, begins.length)).toBe(begins);
      if (title !== 'CSV') continue;
      const series = await answerOf('cpu_load', nodes[0] ?? '', { from: Math.floor(from / 60) * 60, to });
      const rows = text.split('\r\n').filter((row) => row.includes(`,${nodes[0]},cpu_load,`));
      expect(rows.map((row) => Number(row.split(',').at(-1)))).toEqual(series?.data);
    }
  });

  it('sorts by a metric, and names the node that differs', async () => {
    const [hot = ''] = driver.cluster.named('hot');
    const nodes = [...(await coolNodes(6)), hot];
    const page = await driver.openAt(`?view=nodes&nodes=${compressHostlist(nodes)}&range=15m`);
    await table(page).getByRole('button', { name: 'cpu_temp' }).click();
    await expect
      .poll(() => table(page).getByRole('row').nth(2).innerText(), { timeout: LIMIT })
      .toMatch(new RegExp(`^${hot}`));
    expect(await table(page).getByRole('columnheader', { name: 'cpu_temp' }).getAttribute('aria-sort')).toBe(
      'descending',
    );
    await panelOf(page, 'cpu_temp').getByRole('link', { name: hot }).waitFor();
  });

  it('says what is wrong with a list, and which nodes have no samples', async () => {
    const page = await driver.openAt('?view=nodes');
    const input = page.getByLabel('nodes', { exact: true });
    await input.fill('f[01-');
    await page.getByText('"[" is not closed, at character 2').waitFor();
    await input.fill('f[5-3]');
    await page.getByText('the range 5-3 runs backwards').waitFor();
    await input.fill('f0101,nobody');
    await page.keyboard.press('Enter');
    await page.getByText('No samples of nobody.').waitFor();
  });

  it('offers racks and nodes while one types', async () => {
    const page = await driver.openAt('?view=nodes');
    const input = page.getByLabel('nodes', { exact: true });
    await input.fill('g02');
    await page.getByRole('button', { name: /^g\[0201-0218\]/ }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('nodes'), { timeout: LIMIT }).toBe('g[0201-0218]');
    await page.getByText('18 nodes').waitFor();
  });

  it('has no barriers', async () => {
    const page = await driver.openAt(`?view=nodes&nodes=${compressHostlist(wellNodes(3))}`);
    await table(page).waitFor();
    expect(await barriersOf(page)).toEqual([]);
  });
});
