/** Explore in Chromium: the editor, what it completes and underlines, and answers as the API gives them. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { LIMIT } from '../support/limits.js';
import { barriersOf, pageDriver, panelOf, shown } from './page-driver.js';

const driver = pageDriver({ nodes: 24, dead: 0, late: 0, hot: 0 });

const editorOf = (page: Page) => page.getByRole('textbox', { name: 'expression 1' });
const expressionsOf = (page: Page): string[] => new URL(page.url()).searchParams.getAll('expr');

/** A quarter of an hour that is over, so that no more samples come into it. */
function pastRange(): string {
  const to = Math.floor(Date.now() / 60_000) * 60 - 600;
  return `${to - 900}-${to}`;
}

interface Matrix {
  data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
}

it('completes names of metrics, labels and values, and runs by Ctrl and Enter', async () => {
  const page = await driver.openAt('?view=explore');
  const choose = async (typed: string, wanted: string): Promise<void> => {
    await page.keyboard.type(typed);
    await page.getByRole('option', { name: wanted }).first().click();
  };
  await editorOf(page).click();
  await choose('cpu_lo', 'cpu_load');
  await choose('{host', 'hostname');
  await choose('="f010', 'f0103');
  await page.keyboard.press('Control+Enter');
  await expect.poll(() => expressionsOf(page), { timeout: LIMIT }).toEqual(['cpu_load{hostname="f0103"}']);
  await panelOf(page, 'series of the graph').getByText('1 series').waitFor();
});

it('loads the editor only when it is opened', async () => {
  const page = await driver.openAt('');
  expect(driver.opened.asked.filter((url) => url.includes('Explore'))).toEqual([]);
  await page.getByRole('link', { name: 'Explore' }).click();
  await editorOf(page).waitFor();
  expect(driver.opened.asked.filter((url) => url.includes('Explore')).length).toBeGreaterThan(0);
});

it('draws what the API answers, with the figures of each series', async () => {
  const range = pastRange();
  const expression = 'max by (hostname) (cpu_power{type="socket"})';
  const page = await driver.openAt(`?view=explore&range=${range}&expr=${encodeURIComponent(expression)}`);
  const legend = panelOf(page, 'series of the graph');
  await legend.getByText('24 series').waitFor();
  const [from = 0, to = 0] = range.split('-').map(Number);
  const path = `/api/v1/query_range?query=${encodeURIComponent(expression)}&start=${from}&end=${to - 60}&step=60`;
  const { data } = JSON.parse((await ask(driver.cluster.server.port, path)).body) as Matrix;
  const most = new Map(
    data.result.map(({ metric, values }) => [
      metric.hostname,
      shown('cpu_power', Math.max(...values.map(([, value]) => Number(value)))),
    ]),
  );
  const rows = (await legend.getByRole('row').allInnerTexts()).slice(1).map((row) => row.split('\t'));
  expect(new Map(rows.map((cells) => [cells[0]?.trim(), cells[4]]))).toEqual(most);
  await page.getByText(/samples looked at/).waitFor();
});

it('shows the values of one time as a table, and the answer as it came', async () => {
  const page = await driver.openAt(`?view=explore&range=${pastRange()}&as=table&expr=topk(3,cpu_temp)`);
  const table = panelOf(page, 'values of topk(3,cpu_temp)');
  await table.waitFor();
  expect(await table.getByRole('row').count()).toBe(4);
  await page.getByRole('button', { name: 'Raw' }).click();
  await page.locator('pre').getByText('"resultType": "matrix"').waitFor();
  expect(new URL(page.url()).searchParams.get('as')).toBe('raw');
});

it('says what is wrong with an expression, and underlines the place', async () => {
  const page = await driver.openAt(`?view=explore&expr=${encodeURIComponent('sum(cpu_load) + nothere(1)')}`);
  await page.getByRole('alert').getByText('unknown function').waitFor();
  await page.locator('.cm-lintRange-error').first().waitFor();
  // The browser notes the answer to that.
  driver.opened.problems.length = 0;
});

it('keeps what was asked in this browser, and begins with questions', async () => {
  const page = await driver.openAt('?view=explore');
  const asks = { name: 'sum(cpu_power)', exact: true };
  await panelOf(page, 'Questions to begin with').getByRole('button', asks).click();
  await panelOf(page, 'series of the graph').getByText('1 series').waitFor();
  await page.reload();
  await panelOf(page, 'Asked before').getByRole('button', asks).waitFor();
  await page.getByRole('button', { name: 'add an expression' }).click();
  await page.getByRole('textbox', { name: 'expression 2' }).click();
  await page.keyboard.type('sum(mem_power)');
  await page.getByRole('button', { name: 'Run' }).click();
  await panelOf(page, 'series of the graph').getByText('2 series').waitFor();
  expect(expressionsOf(page)).toEqual(['sum(cpu_power)', 'sum(mem_power)']);
  await page.goBack();
  await panelOf(page, 'series of the graph').getByText('1 series').waitFor();
});

it('has no barriers, in light and dark', async () => {
  const page = await driver.openAt('?view=explore&expr=cpu_load&range=1h');
  await panelOf(page, 'series of the graph').waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await barriersOf(page)).toEqual([]);
  }
});
