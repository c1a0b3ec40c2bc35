/** Which build this is. `scripts/build-info.js` writes the file that is read here, next to the compiled sources. */
import { readFileSync } from 'node:fs';

export interface BuildInfo {
  version: string;
  /** Abbreviated git hash, `-dirty` behind it when the tree had changes; `unknown` without git. */
  commit: string;
  /** ISO 8601. */
  date: string;
}

/** Says `unknown` for what is not known, e.g. when running from the sources. Never throws. */
export function buildInfo(): BuildInfo {
  const info = { version: 'unknown', commit: 'unknown', date: 'unknown' };
  return { ...info, ...readJson('../package.json', ['version']), ...readJson('./build-info.json', Object.keys(info)) };
}

/** Three lines in the reference's layout, with a final newline. */
export function versionText(): string {
  const { version, commit, date } = buildInfo();
  return `Version:\t${version}\nGit hash:\t${commit}\nBuild time:\t${date}\n`;
}

function readJson(path: string, keys: string[]): Record<string, string> {
  try {
    const content: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
    const entries = Object.entries(content as object).filter(([key, value]) => keys.includes(key) && value !== '');
    return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
  } catch {
    return {};
  }
}
