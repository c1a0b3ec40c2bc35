/** A page that is left open costs the browser no more after 500 updates, and little to begin with, also with a thousand nodes. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { LIMIT } from '../support/limits.js';
import { choice, pageDriver, panelOf } from './page-driver.js';

const WELL = { dead: 0, late: 0, hot: 0 };
/** Bytes, compressed with gzip: what the first visit loads. */
const FIRST_LOAD = 120_000;
/** So many updates are compared with so many. */
const [FEW, MANY] = [60, 500];

/** Bytes of the page's objects that are still in use. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  // What the first collection makes unreachable goes with the second.
  for (let i = 0; i < 2; i++) await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
}

/** Moves a pointer over a canvas. @returns milliseconds from each move to the end of the frame that follows. */
const MEASURE_MOVES = new Function(
  'canvas',
  `
  const box = canvas.getBoundingClientRect();
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(0);
  }));
  return (async () => {
    const times = [];
    for (let i = 0; i < 20; i++) {
      const begun = performance.now();
      const [clientX, clientY] = [box.x + 20 + (i * 37) % (box.width - 40), box.y + 30 + (i * 13) % (box.height - 40)];
      canvas.dispatchEvent(new MouseEvent('mousemove', { clientX, clientY, bubbles: true }));
      await painted();
      times.push(performance.now() - begun);
    }
    return times;
  })();`,
) as (canvas: unknown) => Promise<number[]>;

/** From the pointer's move to the picture that shows it, in the page: as the median of 20 moves. Judged in the long mode only. */
async function measureMoves(page: Page, nodes: number): Promise<void> {
  const times = (await page.getByRole('application').locator('canvas').evaluate(MEASURE_MOVES)) as number[];
  const middle = times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
  console.log(`a move of the pointer over ${nodes} tiles is painted after ${middle.toFixed(1)} ms`);
  if (process.env.CCMS_LONG === '1') expect(middle).toBeLessThan(100);
}

/** Answers for the server, of a cluster that is larger than a test can simulate. */
async function pretendNodes(page: Page, count: number): Promise<void> {
  const names = Array.from(
    { length: count },
    (_, i) => `n${String(100 * Math.floor(i / 64) + (i % 64)).padStart(5, '0')}`,
  );
  const now = Math.floor(Date.now() / 1000);
  const nodes = names.map((node) => ({ node, series: 1, oldest: now - 600, newest: now, frequency: 60 }));
  await page.route('**/api/nodes?*', (route) => route.fulfill({ json: { time: now, nodes } }));
  await page.route('**/api/query', (route) => {
    const { from, 'for-all-nodes': [metric = ''] = [] } = route.request().postDataJSON() as {
      from: number;
      'for-all-nodes'?: string[];
    };
    const queries = names.map((host) => ({ metric, host }));
    const results = names.map((_, i) => [{ data: [i, i, i, i, i], from, to: from + 300, resolution: 60 }]);
    return route.fulfill({ json: { queries, results } });
  });
}

describe('left open', () => {
  const driver = pageDriver({ nodes: 40, ...WELL }, 8);

  it('loads little, and nothing from elsewhere', async () => {
    const page = await driver.openAt('');
    await panelOf(page, 'Highest').getByRole('row').first().waitFor();
    const loaded = (await page.evaluate(`performance.getEntries()
    .filter(({ entryType, name }) => entryType === 'navigation' || name.includes('/assets/'))
    .map(({ encodedBodySize }) => encodedBodySize)`)) as number[];
    expect(loaded.length).toBeGreaterThan(2);
    expect(loaded.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(FIRST_LOAD);
    const { origin } = new URL(page.url());
    expect(driver.opened.asked.filter((url) => !url.startsWith(origin))).toEqual([]);
  });

  /** A page whose clock the test moves, and what it has asked of /api/query: the seconds of each question. */
  async function openWithClock(search: string) {
    const { page, problems } = await driver.browser.open('about:blank');
    await page.clock.install();
    const spans: number[] = [];
    page.on('requestfinished', (request) => {
      if (!request.url().endsWith('/api/query')) return;
      const { from, to } = request.postDataJSON() as { from: number; to: number };
      spans.push(to - from);
    });
    await page.goto(`${driver.cluster.server.url}/${search}`);
    await page.locator('.line').getByText('nodes deliver').waitFor();
    const updateTo = async (count: number): Promise<void> => {
      while (spans.length < count) {
        const answered = page.waitForEvent('requestfinished', (request) => request.url().endsWith('/api/query'));
        await page.clock.runFor(10_000);
        await answered;
      }
    };
    return { page, problems, spans, updateTo };
  }

  it('keeps its memory flat', async () => {
    const { page, problems, updateTo } = await openWithClock('?metric=cpu_load');
    await updateTo(FEW);
    const before = await heapOf(page);
    await updateTo(MANY);
    const after = await heapOf(page);
    console.log(
      `heap after ${FEW} updates ${Math.round(before / 1e3)} kB, after ${MANY} ${Math.round(after / 1e3)} kB`,
    );
    expect(after).toBeLessThan(1.2 * before + 1e6);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('asks for the whole range once, and then only for what is new', async () => {
    const { page, problems, spans, updateTo } = await openWithClock('?view=matrix&metric=cpu_load&range=4h');
    await updateTo(5);
    expect(spans[0]).toBeGreaterThanOrEqual(4 * 3600);
    // Samples may come late: some minutes are asked for again.
    for (const span of spans.slice(1)) expect(span).toBeLessThan(900);
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe('with a thousand nodes', () => {
  const NODES = 1000;
  const driver = pageDriver({ nodes: NODES, threads: 1, sockets: 1, gpus: 0, ...WELL }, 8);

  it('answers the pointer with a thousand nodes', async () => {
    const page = await driver.openAt('?metric=cpu_load');
    const canvas = page.getByRole('application').locator('canvas');
    await panelOf(page, 'Highest').getByRole('row').first().waitFor();
    const { width = 0, height = 0 } = (await canvas.boundingBox()) ?? {};
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      await canvas.hover({ position: { x: (0.05 + 0.04 * i) * width, y: (0.9 - 0.03 * i) * height } });
      seen.add(await page.locator('.marked').innerText());
    }
    expect(seen.size).toBeGreaterThan(5);
    await measureMoves(page, NODES);
    await choice(page, 'metric').selectOption('mem_bw');
    await expect.poll(() => new URL(page.url()).searchParams.get('metric'), { timeout: LIMIT }).toBe('mem_bw');
  });

  it('shows ten thousand tiles', async () => {
    const { page, problems } = await driver.browser.open('about:blank');
    await pretendNodes(page, 10_000);
    await page.goto(`${driver.cluster.server.url}/?metric=cpu_load`);
    await page.locator('.line').getByText('10 k of 10 k nodes deliver'.replaceAll(' k', '\u202fk')).waitFor();
    const highest = panelOf(page, 'Highest').getByRole('row').first();
    await expect.poll(() => highest.innerText(), { timeout: LIMIT }).toMatch(/^n15615\t/);
    await measureMoves(page, 10_000);
    expect(problems).toEqual([]);
    await page.close();
  });
});
