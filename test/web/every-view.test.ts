/** What holds for every view: on a telephone and on a wall nothing is cut off, nothing jumps while it loads, axe-core finds nothing. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { barriersOf, pageDriver } from './page-driver.js';

const driver = pageDriver({ nodes: 40 });

/** Each view, and what is there once it is complete. */
const VIEWS: readonly { view: string; search: string; complete: (page: Page) => Promise<void> }[] = [
  { view: 'overview', search: '?metric=cpu_temp', complete: (page) => page.getByText('nodes with a value').waitFor() },
  { view: 'matrix', search: '?view=matrix&metric=cpu_load', complete: (page) => page.locator('canvas.over').waitFor() },
  { view: 'node', search: '?view=node&node=f0102', complete: (page) => page.getByText('health:').waitFor() },
  {
    view: 'nodes',
    search: '?view=nodes&nodes=f[0101-0106]',
    complete: (page) => page.getByRole('region', { name: 'figures of the nodes' }).getByRole('row').nth(4).waitFor(),
  },
  {
    view: 'explore',
    search: '?view=explore&expr=cpu_load&expr=sum(cpu_power)',
    complete: (page) => page.getByRole('region', { name: 'series of the graph' }).waitFor(),
  },
  {
    view: 'store',
    search: '?view=store',
    complete: (page) => page.getByRole('region', { name: 'memory by metric and level' }).waitFor(),
  },
];

/** Above it web.dev calls a page unstable; on a slow machine a view comes in more steps. */
const SHIFT = 0.25;

for (const { view, search, complete } of VIEWS) {
  for (const [width, height] of [
    [360, 740],
    [1280, 800],
    [3840, 2160],
  ] as const) {
    it(`${view} fits into ${width} x ${height}, and has no barriers there`, async () => {
      const { page, problems } = await driver.browser.open('about:blank');
      await page.setViewportSize({ width, height });
      await page.addInitScript(`
        window.shifts = [];
        new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value, sources }) =>
          ({ value, moved: sources.map(({ node }) => node?.outerHTML?.slice(0, 80)) }))))
          .observe({ type: 'layout-shift', buffered: true });`);
      await page.goto(`${driver.cluster.server.url}/${search}`);
      await complete(page);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      const shifts = (await page.evaluate('window.shifts')) as { value: number; moved: string[] }[];
      const sum = shifts.reduce((total, { value }) => total + value, 0);
      expect(sum, JSON.stringify(shifts)).toBeLessThan(SHIFT);
      expect(await barriersOf(page)).toEqual([]);
      expect(problems).toEqual([]);
      await page.close();
    });
  }
}
