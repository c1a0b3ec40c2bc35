/** What a person sees: the start page and Swagger UI, in Chromium. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer, config, TIME, token, tokenKey } from '../security/fixtures.js';
import { ask } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const key = tokenKey();
const jwt = token(key);
const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
let server: ServerProcess;
let browser: BrowserContext;

beforeAll(async () => {
  server = await startServer((port) => config({ addr: `127.0.0.1:${port}`, 'jwt-public-key': key.base64 }), {
    args: ['-dev'],
  });
  const line = `cpu_load,cluster=c,hostname=h value=42.5 ${TIME}`;
  expect((await ask(server.port, '/api/write', { body: line, headers: bearer(jwt) })).status).toBe(200);
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(profile, { recursive: true, force: true });
});

/** A page, everything it complained about, and every address it asked. */
async function open(path: string): Promise<{ page: Page; problems: string[]; asked: string[] }> {
  const page = await browser.newPage();
  const problems: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('requestfailed', (request) => problems.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(server.url + path, { waitUntil: 'networkidle' });
  return { page, problems, asked };
}

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

describe('the start page', () => {
  it('names the server, its state and its routes, and asks nothing of anyone else', async () => {
    const { page, problems, asked } = await open('/');
    expect(await page.title()).toBe('cc-metric-store');
    const text = await page.textContent('body');
    for (const route of ROUTES) expect(text).toContain(route);
    expect(text).toMatch(/ready, up for/);
    // The style is allowed by its hash: it must have been applied.
    expect(await page.evaluate('getComputedStyle(document.querySelector("table")).borderCollapse')).toBe('collapse');
    expect(problems).toEqual([]);
    expect(elsewhere(asked)).toEqual([]);
    await page.click('a[href="/healthz"]');
    expect(await page.textContent('body')).toContain('"state":"ready"');
    await page.close();
  });
});

describe('Swagger UI', () => {
  it('shows every route, and runs a request with a token', { timeout: 60_000 }, async () => {
    const { page, problems, asked } = await open('/swagger/');
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
