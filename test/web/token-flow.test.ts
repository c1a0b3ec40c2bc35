/** The page of a server that wants a token: asks for one, keeps it for the tab, says what is wrong with it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Browser, launchBrowser } from '../support/browser.js';
import { LIMIT } from '../support/limits.js';
import { config } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { token, tokenKey } from '../support/tokens.js';

const key = tokenKey();
const now = Math.floor(Date.now() / 1000);
let server: ServerProcess;
let browser: Browser;

beforeAll(async () => {
  server = await startServer((port) => config({ addr: `127.0.0.1:${port}`, 'jwt-public-key': key.base64 }));
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

it('asks for a token, refuses bad ones with the reason, and keeps a good one for this tab only', async () => {
  const { page, problems, asked } = await browser.open(server.url);
  const alert = page.getByRole('alert');
  const use = async (text: string): Promise<void> => {
    await page.getByLabel('JSON Web Token').fill(text);
    await page.getByRole('button', { name: 'Use it' }).click();
  };
  await page.getByRole('heading', { name: 'This server wants a token' }).waitFor();
  expect(await alert.count()).toBe(0);

  await use('abc');
  expect(await alert.textContent()).toContain('expected three parts');
  await use(token(key, { exp: now - 7200 }));
  expect(await alert.textContent()).toContain('expired 2 h ago');
  // Only the server sees that it was signed by somebody else.
  await use(token(tokenKey(), { exp: now + 7200 }));
  await expect.poll(() => alert.textContent(), { timeout: LIMIT }).toContain("does not match the server's key");

  await use(`Bearer ${token(key, { exp: now + 7200 })}`);
  await page.getByText('series').first().waitFor();
  await page.reload();
  await page.getByText('series').first().waitFor();
  expect(await page.context().cookies()).toEqual([]);
  expect(asked.filter((url) => url.includes('ey')).map((url) => new URL(url).search)).toEqual([]);

  const other = await browser.open(server.url);
  await other.page.getByRole('heading', { name: 'This server wants a token' }).waitFor();
  await other.page.close();

  await page.getByRole('button', { name: 'token ✓' }).click();
  await page.getByRole('heading', { name: 'This server wants a token' }).waitFor();
  await page.close();
  // The browser itself notes each 401.
  expect(problems.filter((text) => !text.includes('401'))).toEqual([]);
});
