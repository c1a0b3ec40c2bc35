/** Swagger UI in Chromium. The page has its own tests in test/web/. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, launchBrowser } from '../support/browser.js';
import { ask } from '../support/client.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { bearer, token, tokenKey } from '../support/tokens.js';

const key = tokenKey();
const jwt = token(key);
let server: ServerProcess;
let browser: Browser;

beforeAll(async () => {
  server = await startServer((port) => config({ addr: `127.0.0.1:${port}`, 'jwt-public-key': key.base64 }), {
    args: ['-dev'],
  });
  const line = `cpu_load,cluster=c,hostname=h value=42.5 ${TIME}`;
  expect((await ask(server.port, '/api/write', { body: line, headers: bearer(jwt) })).status).toBe(200);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const ROUTES = [
  '/api/write',
  '/api/query',
  '/api/healthcheck',
  '/api/debug',
  '/api/free',
  '/write',
  '/api/v2/write',
  '/healthz',
  '/metrics',
];
const elsewhere = (asked: string[]): string[] =>
  asked.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'));

describe('Swagger UI', () => {
  it('shows every route, and runs a request with a token', async () => {
    const { page, problems, asked } = await browser.open(`${server.url}/swagger/`);
    await page.waitForSelector('.opblock');
    const paths = await page.locator('.opblock-summary-path').allInnerTexts();
    const shown = paths.map((path) => path.replace(/\u200b/g, '').trim());
    for (const route of ROUTES) expect(shown).toContain(route);

    await page.click('button.authorize');
    await page.fill('.modal-ux input[type=text], .modal-ux input[type=password]', jwt);
    await page.click('.modal-ux button.authorize');
    await page.click('.modal-ux .btn-done');

    const block = page.locator('.opblock-post', { has: page.locator('[data-path="/api/query"]') });
    await block.locator('.opblock-summary').click();
    await block.locator('.try-out__btn').click();
    const body = { cluster: 'c', from: TIME, to: TIME + 60, queries: [{ metric: 'cpu_load', host: 'h' }] };
    await block.locator('textarea.body-param__text').fill(JSON.stringify(body));
    const answered = page.waitForResponse((response) => response.url().includes('/api/query'));
    await block.locator('button.execute').click();
    const response = await answered;
    expect([response.request().method(), response.status()]).toEqual(['POST', 200]);
    await block.locator('.live-responses-table .response-col_status').first().waitFor();
    expect(await block.locator('.live-responses-table').first().textContent()).toContain('42.5');
    expect(problems).toEqual([]);
    expect(elsewhere(asked)).toEqual([]);
    await page.close();
  });
});
