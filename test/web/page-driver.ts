/** What the tests of the page's views share: a simulated cluster, a browser, and words for what is on the page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { ClusterShape } from '../../src/simulate/cluster.js';
import { formatValue } from '../../web/src/model/values/numbers.js';
import { unitOf } from '../../web/src/model/values/units.js';
import { type Browser, launchBrowser, type OpenPage } from '../support/browser.js';
import { type SimulatedCluster, startCluster } from './cluster.js';

export interface Driver {
  readonly cluster: SimulatedCluster;
  readonly browser: Browser;
  /** A page at an address such as `?view=matrix`, once it knows the nodes. What it complains about fails the test. */
  openAt(search: string): Promise<Page>;
  /** What the page of this test has asked for, and complained about. */
  readonly opened: OpenPage;
}

/** Starts a cluster and a browser for the tests of this file. @param steps minutes that the cluster has been running. */
export function pageDriver(shape: Partial<ClusterShape> = {}, steps?: number): Driver {
  let cluster: SimulatedCluster | undefined;
  let browser: Browser | undefined;
  let opened: OpenPage | undefined;
  beforeAll(async () => {
    [cluster, browser] = await Promise.all([startCluster(shape, steps), launchBrowser()]);
  });
  afterEach(async () => {
    await opened?.page.close();
    const problems = opened?.problems ?? [];
    opened = undefined;
    expect(problems).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  });
  const there = <T>(thing: T | undefined): T => {
    if (thing === undefined) throw new Error('BUG: it is there only while tests run');
    return thing;
  };
  return {
    get cluster() {
      return there(cluster);
    },
    get browser() {
      return there(browser);
    },
    get opened() {
      return there(opened);
    },
    async openAt(search) {
      opened = await there(browser).open(`${there(cluster).server.url}/${search}`);
      await opened.page.locator('.line').getByText('nodes deliver').waitFor();
      return opened.page;
    },
  };
}

/** A titled part of a view. */
export const panelOf = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });

/** A select, by the text before it. */
export const choice = (page: Page, name: string): Locator => page.getByRole('combobox', { name, exact: true });

/** A value as the page writes it. */
export const shown = (metric: string, value: number | null | undefined): string => formatValue(value, unitOf(metric));

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core has to say against a page, with the elements that it means. */
export async function barriersOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = (await page.evaluate('axe.run()')) as {
    violations: { id: string; help: string; nodes: { html: string }[] }[];
  };
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`);
}
