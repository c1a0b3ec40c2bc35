/** The overview of a cluster of 200 nodes in Chromium: what it shows is what the API says, and it follows. */
import type { Locator } from 'playwright-core';
import { expect, it } from 'vitest';
import { LIMIT } from '../support/limits.js';
import { barriersOf, choice, pageDriver, panelOf, shown } from './page-driver.js';

/** Where a corner in the colour of what is dead lies beside the brightest colour of the scale; null: nowhere. */
const FIND_CORNER = new Function(
  'picture',
  `
  const copy = new OffscreenCanvas(picture.width, picture.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(picture, 0, 0);
  const { data, width, height } = copy.getImageData(0, 0, picture.width, picture.height);
  const is = (x, y, ...colour) => colour.every((part, i) => Math.abs(data[4 * (y * width + x) + i] - part) < 2);
  const [dead, bright] = [[192, 38, 45], [253, 234, 69]];
  for (let y = 0; y < height - 9; y++) {
    for (let x = 4; x < width; x++) {
      if (is(x, y, ...dead) && is(x - 4, y, ...bright) && is(x, y + 9, ...bright)) return { x, y: y + 9 };
    }
  }
  return null;`,
) as (picture: unknown) => { x: number; y: number } | null;

const driver = pageDriver();
const rowsOf = (panel: Locator): Promise<string[]> => panel.getByRole('row').allInnerTexts();

it('names the dead and the late, and counts them in the line that is always there', async () => {
  const page = await driver.openAt('');
  const rows = await rowsOf(panelOf(page, 'Dead and late'));
  expect(rows.map((row) => row.split(/\s+/).slice(0, 2))).toEqual([
    ...driver.cluster.named('dead').map((node) => [node, 'dead']),
    ...driver.cluster.named('late').map((node) => [node, 'late']),
  ]);
  const line = await page.locator('.line').innerText();
  expect(line).toContain('198 of 200 nodes deliver');
  expect(line).toMatch(/2 dead \([fg]\d{4}, 3\d min( \d+ s)? ago, …\)/);
  expect(line).toContain('1 late');
});

it('shows the highest and lowest nodes with the values of the API', async () => {
  const page = await driver.openAt('?metric=cpu_temp');
  const highest = panelOf(page, 'Highest').getByRole('row').first();
  await expect
    .poll(
      async () => {
        const values = [...(await driver.cluster.newest('cpu_temp'))].sort((a, b) => b[1] - a[1]);
        const [node, value] = values[0] ?? [];
        return (await highest.innerText()) === `${node}\t${shown('cpu_temp', value)}`;
      },
      { timeout: LIMIT },
    )
    .toBe(true);
  expect(await highest.innerText()).toContain(driver.cluster.named('hot')[0]);
});

it('marks the hot node by its tile, which leads to it', async () => {
  const page = await driver.openAt('?metric=cpu_temp');
  const canvas = page.getByRole('application').locator('canvas');
  // The brightest tile with a corner: beyond the end of the scale.
  const find = () => canvas.evaluate(FIND_CORNER);
  await expect.poll(find, { timeout: LIMIT }).not.toBeNull();
  const at = (await find()) ?? { x: 0, y: 0 };
  await canvas.hover({ position: at });
  const [hot = ''] = driver.cluster.named('hot');
  const words = new RegExp(`^${hot}: \\d\\d(\\.\\d)?\\s°C, newest sample`);
  await expect.poll(() => page.locator('.marked').innerText(), { timeout: LIMIT }).toMatch(words);
  await canvas.click({ position: at });
  expect(new URL(page.url()).searchParams.get('node')).toBe(hot);
  await page.goBack();
  await canvas.waitFor();
});

it('is worked with the keyboard alone', async () => {
  const page = await driver.openAt('');
  const tiles = page.getByRole('application');
  await tiles.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.locator('.marked').innerText(), { timeout: LIMIT }).toMatch(/^f0102: /);
  await page.keyboard.press('Shift+Enter');
  expect(new URL(page.url()).searchParams.get('nodes')).toBe('f0102');
  await page.keyboard.press('Enter');
  expect(new URL(page.url()).searchParams.get('node')).toBe('f0102');
  await page.goBack();
  await page.locator('body').press('/');
  await page.getByRole('combobox', { name: 'node, metric or view' }).fill('mem_bw');
  await page.keyboard.press('Enter');
  expect(new URL(page.url()).searchParams.get('metric')).toBe('mem_bw');
});

it('gives the same view again by its address, back and forward', async () => {
  const page = await driver.openAt('?metric=mem_bw&value=mean&groups=none&range=1h');
  await expect.poll(() => choice(page, 'metric').inputValue(), { timeout: LIMIT }).toBe('mem_bw');
  expect(await choice(page, 'value').inputValue()).toBe('mean');
  expect(await choice(page, 'groups').inputValue()).toBe('none');
  await choice(page, 'metric').selectOption('ipc');
  await page.goBack();
  expect(await choice(page, 'metric').inputValue()).toBe('mem_bw');
  await page.goForward();
  expect(await choice(page, 'metric').inputValue()).toBe('ipc');
  await page.reload();
  await expect.poll(() => choice(page, 'metric').inputValue(), { timeout: LIMIT }).toBe('ipc');
  await page.getByRole('button', { name: 'last 1 h' }).click();
  await page.getByRole('button', { name: 'last 15 min' }).click();
  expect(new URL(page.url()).searchParams.get('range')).toBe('15m');
});

it('says how to send the first sample where there is none', async () => {
  const { url } = driver.cluster.server;
  const { page, problems } = await driver.browser.open(`${url}/?cluster=nowhere`);
  await page.getByText('No samples yet').waitFor();
  expect(await page.locator('pre').innerText()).toContain(`curl -X POST '${url}/api/write?cluster=test'`);
  expect(problems).toEqual([]);
  await page.close();
});

it('has no barriers, in light and dark', async () => {
  const page = await driver.openAt('');
  await panelOf(page, 'Highest').getByRole('row').first().waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await barriersOf(page)).toEqual([]);
  }
});

it('follows: a new node is there without being asked for', async () => {
  const page = await driver.openAt('?metric=mem_used');
  const highest = panelOf(page, 'Highest').getByRole('row').first();
  await highest.waitFor();
  await driver.cluster.write(`mem_used,hostname=z0001,type=node value=999000000 ${Math.floor(Date.now() / 1000)}`);
  await expect.poll(() => highest.innerText(), { timeout: LIMIT }).toBe(`z0001\t${shown('mem_used', 999_000_000)}`);
  await page.getByText('199 of 201 nodes deliver').waitFor();
});
