import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FlagTable, parseGoFlags, usageText } from '../../src/base/flags.js';
import { parseFlags } from '../../src/commands/cli.js';
import { temporaryDirectory } from '../support/directories.js';

const defaults = {
  config: './config.json',
  dev: false,
  loglevel: undefined,
  logdate: false,
  cleanupCheckpoints: false,
  checkConfig: false,
  gops: false,
};

describe('parseFlags', () => {
  it('has the defaults of the contract', () => expect(parseFlags([])).toEqual(defaults));

  it.each([
    [['-config', 'a b.json'], { config: 'a b.json' }],
    [['--config', 'x'], { config: 'x' }],
    [['-config=x=y'], { config: 'x=y' }],
    [['--config='], { config: '' }],
    [['-config', '-dev'], { config: '-dev' }],
    [['-dev', '-logdate'], { dev: true, logdate: true }],
    [['-dev=false'], { dev: false }],
    [['--dev=T', '-dev=0'], { dev: false }],
    [['-loglevel', 'debug'], { loglevel: 'debug' }],
    [['-cleanup-checkpoints', '--check-config', '-gops'], { cleanupCheckpoints: true, checkConfig: true, gops: true }],
    [['-dev', '--'], { dev: true }],
  ])('reads %j', (argv, change) => expect(parseFlags(argv)).toEqual({ ...defaults, ...change }));

  it.each([
    [['-nope'], 'flag provided but not defined: -nope'],
    [['--nope=1'], 'flag provided but not defined: -nope'],
    [['-__proto__'], 'flag provided but not defined: -__proto__'],
    [['-toString=1'], 'flag provided but not defined: -toString'],
    [['---dev'], 'bad flag syntax: ---dev'],
    [['-=x'], 'bad flag syntax: -=x'],
    [['-config'], 'flag needs an argument: -config'],
    [['-dev=maybe'], 'invalid value "maybe" for flag -dev: expected true or false'],
    [['-loglevel', 'trace'], 'invalid value "trace" for flag -loglevel: expected one of debug, info, warn, err, crit'],
    [['-dev', 'false'], 'unexpected argument "false"'],
  ])('exits with 2 for %j', (argv, message) => {
    const outcome = parseFlags(argv);
    expect(outcome).toMatchObject({ exit: 2, stream: 'stderr', text: expect.stringContaining(message) });
  });

  it('prints the usage for unknown flags and -h', () => {
    for (const [argv, exit] of [[['-nope'], 2] as const, [['-h'], 0] as const, [['--help'], 0] as const]) {
      const outcome = parseFlags(argv);
      expect(outcome).toMatchObject({ exit, stream: 'stderr' });
      expect('text' in outcome && outcome.text).toContain('Usage of cc-metric-store:\n  -check-config\n');
    }
  });

  it('prints version, commit and build date', () => {
    const outcome = parseFlags(['-version', '-dev']);
    expect(outcome).toMatchObject({ exit: 0, stream: 'stdout' });
    expect('text' in outcome && outcome.text).toMatch(/^Version:\t\d+\.\d+\.\d+\nGit hash:\t\S+\nBuild time:\t\S+\n$/);
  });
});

describe('parseGoFlags', () => {
  const table = {
    n: { kind: 'int', default: 5, usage: 'how many' },
    rate: { kind: 'float', default: 0, usage: 'how fast', placeholder: 'HZ' },
    url: { kind: 'string', default: 'x', usage: 'where' },
    v: { kind: 'bool', default: false, usage: 'say more' },
  } as const satisfies FlagTable;

  it('gives typed values, the flags that were there, and the rest', () => {
    const parsed = parseGoFlags(table, ['-n=-3', '--rate', '2.5e3', 'file', '-v'], 'tool');
    expect(parsed).toEqual({
      kind: 'values',
      values: { n: -3, rate: 2500, url: 'x', v: false },
      given: new Set(['n', 'rate']),
      rest: ['file', '-v'],
    });
  });

  it.each([
    [['-n', '1.5'], 'expected a whole number'],
    [['-n='], 'expected a whole number'],
    [['-n', '0x10'], 'expected a whole number'],
    [['-rate', 'fast'], 'expected a number'],
    [['-rate='], 'expected a number'],
    [['-rate', 'Infinity'], 'expected a number'],
  ])('refuses %j', (argv, message) => {
    expect(parseGoFlags(table, argv, 'tool')).toMatchObject({
      kind: 'usageError',
      message: expect.stringContaining(message),
    });
  });

  it('leaves -h to a table that defines it', () => {
    const parsed = parseGoFlags({ h: { kind: 'string', default: '', usage: 'host' } }, ['-h', 'n1'], 'tool');
    expect(parsed).toMatchObject({ kind: 'values', values: { h: 'n1' } });
  });

  it('writes the usage as Go does', () => {
    expect(usageText(table, 'tool')).toBe(
      'Usage of tool:\n  -n int\n    \thow many (default 5)\n  -rate HZ\n    \thow fast\n' +
        '  -url string\n    \twhere (default "x")\n  -v\n    \tsay more\n',
    );
  });
});

describe('scripts/build-info.js', () => {
  const script = resolve('scripts/build-info.js');
  const inTempDirectory = (env: NodeJS.ProcessEnv): unknown => {
    const directory = temporaryDirectory();
    copyFileSync('package.json', join(directory, 'package.json'));
    const run = spawnSync(process.execPath, [script], { cwd: directory, env, encoding: 'utf8' });
    expect(run.stderr).toBe('');
    return JSON.parse(readFileSync(join(directory, 'dist/build-info.json'), 'utf8'));
  };

  it('works without git', () => {
    expect(inTempDirectory({ PATH: '/nonexistent' })).toMatchObject({ commit: 'unknown' });
  });

  it('takes commit and date from the environment', () => {
    const env = { PATH: '/nonexistent', GIT_COMMIT: 'abc123', SOURCE_DATE_EPOCH: '0' };
    expect(inTempDirectory(env)).toMatchObject({ commit: 'abc123', date: '1970-01-01T00:00:00.000Z' });
  });
});
