/** The stores of a cluster on the page of one of them, in Chromium. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster, writeLines } from '../cluster/cluster-driver.js';
import { type Browser, launchBrowser } from '../support/browser.js';
import { LIMIT } from '../support/limits.js';
import { barriersOf, panelOf } from './page-driver.js';

let cluster: TestCluster;
let browser: Browser;

beforeAll(async () => {
  cluster = new TestCluster({ partitions: 4, replicas: 2, isHurried: true });
  const begun = launchBrowser();
  await cluster.startNats();
  await Promise.all(['a', 'b'].map((id) => cluster.start(id)));
  await cluster.isWhole('a');
  browser = await begun;
});
afterAll(async () => {
  await browser?.close();
  await cluster.stop();
});

it('are shown with their state and copies; one that dies is named, and what it leaves without a second copy', async () => {
  const now = Math.floor(Date.now() / 1000);
  expect((await writeLines(cluster.of('a').port, `m,hostname=h value=1 ${now}\n`)).status).toBe(200);
  const { page, problems } = await browser.open(`${cluster.of('a').url}/?view=store`);
  const panel = panelOf(page, 'Cluster test');
  await panel.getByText('all copies are there').waitFor();
  const rowsOf = async (name: string): Promise<string[][]> =>
    (await panelOf(page, name).getByRole('row').allInnerTexts()).slice(1).map((row) => row.split('\t'));
  const stores = (await rowsOf('stores of the cluster')).map(([id, state, , copies, ready]) => [
    id,
    state,
    copies,
    ready,
  ]);
  expect(stores).toEqual([
    ['a', 'active', '4', '4'],
    ['b', 'active', '4', '4'],
  ]);
  const { partitions } = await cluster.status('a');
  const written = partitions.findIndex(({ acked }) => acked > 0);
  expect(written).toBeGreaterThanOrEqual(0);
  await expect
    .poll(async () => (await rowsOf('partitions of the cluster'))[written]?.slice(0, 5), { timeout: LIMIT })
    .toEqual([String(written), partitions[written]?.owners.join(', '), 'a, b', '1', '0']);
  expect(await barriersOf(page)).toEqual([]);

  await cluster.of('b').stop('SIGKILL');
  await panel.getByText('4 copies missing or not ready').waitFor();
  await expect.poll(async () => (await rowsOf('stores of the cluster'))[1]?.[1], { timeout: LIMIT }).toBe('dead');
  expect((await rowsOf('partitions of the cluster')).map((row) => row[2])).toEqual(['a', 'a', 'a', 'a']);
  expect(problems).toEqual([]);
});
