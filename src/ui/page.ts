/** The page at `/`: self-contained HTML, no script, nothing from elsewhere. It shows no metric data. */

import { createHash } from 'node:crypto';

export interface PageRoute {
  path: string;
  methods: readonly string[];
  summary: string;
  /** Answers without a token. */
  open: boolean;
}

export interface PageContent {
  version: string;
  state: 'loading' | 'ready' | 'stopping';
  uptimeSeconds: number;
  /** The config has a key. */
  secured: boolean;
  routes: readonly PageRoute[];
}

const STYLE = `
:root { color-scheme: light dark; --line: #d0d7de; --soft: #57606a; --good: #1a7f37; --wait: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --line: #30363d; --soft: #8b949e; --good: #3fb950; --wait: #d29922; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
p { margin: .25rem 0 1rem; color: var(--soft); }
.state { font-weight: 600; color: var(--wait); }
.state.ready { color: var(--good); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-size: .85rem; color: var(--soft); }
code { font: .9em ui-monospace, monospace; }
td.methods { white-space: nowrap; color: var(--soft); font-size: .85rem; }
`;

/** Content-Security-Policy of the page: this one style, and nothing else. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** `3 d 4 h`, `4 h 5 min`, `5 min 6 s`. */
export function formatDuration(seconds: number): string {
  const units: [number, string][] = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  let rest = seconds;
  const parts = units.map(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return { count, text: `${count} ${unit}` };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .map(({ text }) => text)
    .join(' ');
}

function routeRow({ path, methods, summary, open }: PageRoute): string {
  const name = `<code>${escapeHtml(path)}</code>`;
  // What a browser can show by following a link: GET, no body, no token.
  const linked = open && methods.includes('GET') && !path.startsWith('/api/');
  const link = linked ? `<a href="${escapeHtml(path)}">${name}</a>` : name;
  return `<tr><td class="methods">${methods.join(', ')}</td><td>${link}</td><td>${escapeHtml(summary)}${open ? '' : ' (token)'}</td></tr>`;
}

export function renderPage({ version, state, uptimeSeconds, secured, routes }: PageContent): string {
  // The page itself and the files of Swagger UI are no news to who reads this.
  const shown = routes.filter(({ path }) => path !== '/' && !path.includes(':'));
  const access = secured ? 'Routes marked (token) need a JSON Web Token.' : 'No token is needed.';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>cc-metric-store</title>
<style>${STYLE}</style>
</head>
<body>
<h1>cc-metric-store</h1>
<p>ClusterCockpit's in-memory metric store, version ${escapeHtml(version)}.
<span class="state ${state}">${state}</span>, up for ${formatDuration(uptimeSeconds)}. ${access}</p>
<table>
<thead><tr><th>Method</th><th>Path</th><th>What it does</th></tr></thead>
<tbody>
${shown.map(routeRow).join('\n')}
</tbody>
</table>
</body>
</html>
`;
}
