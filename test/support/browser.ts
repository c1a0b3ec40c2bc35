/** Debian's Chromium, for tests of what a person sees. */
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { temporaryDirectory } from './directories.js';
import { LIMIT } from './limits.js';

export interface Browser {
  context: BrowserContext;
  /**
   * A page of the address that has everything it complained about and every address it asked. Violations of the
   * Content-Security-Policy are console errors, so they are problems too.
   */
  open(url: string): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenPage {
  page: Page;
  problems: string[];
  asked: string[];
}

export interface BrowserOptions {
  width?: number;
  height?: number;
  /** Of the emulated system. */
  colours?: 'light' | 'dark';
  /** Further flags of Chromium. */
  args?: readonly string[];
}

/** Starts a browser with a profile of its own. */
export async function launchBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const context = await chromium.launchPersistentContext(temporaryDirectory(), {
    executablePath: '/usr/bin/chromium',
    headless: true,
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.colours ?? 'light',
    timezoneId: 'Europe/Berlin',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      ...(options.args ?? []),
    ],
  });
  // The machine that runs the tests may be busy with others.
  context.setDefaultTimeout(LIMIT);
  return {
    context,
    async open(url) {
      const page = await context.newPage();
      const problems: string[] = [];
      const asked: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
      });
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('request', (request) => asked.push(request.url()));
      await page.goto(url);
      return { page, problems, asked };
    },
    close: () => context.close(),
  };
}
