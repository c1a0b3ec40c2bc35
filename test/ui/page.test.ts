import { describe, expect, it } from 'vitest';
import { formatDuration, type PageContent, renderPage } from '../../src/ui/page.js';

const content: PageContent = {
  version: '1',
  state: 'ready',
  uptimeSeconds: 61,
  secured: true,
  routes: [
    { path: '/', methods: ['GET'], summary: 'this page', open: true },
    { path: '/healthz', methods: ['GET'], summary: 'ready?', open: true },
    { path: '/api/query', methods: ['GET', 'POST'], summary: 'read <series>', open: false },
    { path: '/swagger/:file', methods: ['GET'], summary: 'files', open: true },
  ],
};

describe('renderPage', () => {
  it('links what a browser can open, marks what needs a token, escapes everything', () => {
    const page = renderPage(content);
    expect(page).toContain('<a href="/healthz"><code>/healthz</code></a>');
    expect(page).toContain('<td><code>/api/query</code></td><td>read &lt;series&gt; (token)</td>');
    expect(page).toContain('up for 1 min 1 s');
    expect(page).not.toContain('href="/"');
    expect(page).not.toContain(':file');
  });

  it('says when no token is needed', () => {
    expect(renderPage({ ...content, secured: false })).toContain('No token is needed.');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min 0 s'],
    [3600 * 5 + 61, '5 h 1 min'],
    [86400 * 3 + 7200 + 5, '3 d 2 h'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
