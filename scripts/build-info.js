// Writes dist/build-info.json: version, commit and date of this build, for -version. Works without git ("unknown").
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const git = (...args) => {
  const run = spawnSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return run.status === 0 ? run.stdout.trim() : undefined;
};

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const hash = process.env.GIT_COMMIT || git('rev-parse', '--short=12', 'HEAD');
const dirty = hash && !process.env.GIT_COMMIT && git('status', '--porcelain', '--untracked-files=no') ? '-dirty' : '';
const epoch = process.env.SOURCE_DATE_EPOCH;
const date = epoch ? new Date(Number(epoch) * 1000) : new Date();

mkdirSync('dist', { recursive: true });
const info = { version, commit: hash ? `${hash}${dirty}` : 'unknown', date: date.toISOString() };
writeFileSync('dist/build-info.json', `${JSON.stringify(info, null, 2)}\n`);
