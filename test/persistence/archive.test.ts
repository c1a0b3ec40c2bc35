import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterEach, describe, expect, it } from 'vitest';
import { compareText } from '../../src/persistence/archive/parquet/keyed-run.js';
import { ROW_GROUP_ROWS } from '../../src/persistence/archive/parquet/parquet-file.js';
import { scopeOf } from '../../src/persistence/archive/parquet/scope.js';
import { writeArchive } from '../../src/persistence/archive/parquet/write-archive.js';
import { readBin } from '../../src/persistence/reference/bin-reader.js';
import type { SeriesRun } from '../../src/persistence/reference/types.js';
import { seeded } from '../support/random.js';
import { DATA, Scratch } from './reference-data.js';

let scratch = new Scratch();
afterEach(() => {
  scratch = new Scratch();
});

const REFERENCE = join(DATA, 'archive/disk/1700053980.parquet');

async function sql(query: string): Promise<unknown[][]> {
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    return (await connection.runAndReadAll(query)).getRows();
  } finally {
    connection.closeSync();
  }
}

type Row = [host: string, metric: string, scope: string, id: string, time: number, frequency: number, value: number];

/** The rows of an archive in the file's order, by DuckDB and by hyparquet, which must agree. */
async function rowsOf(path: string): Promise<Row[]> {
  const columns = 'hostname, metric, scope, scope_id, timestamp, frequency, value';
  const byDuck = (
    await sql(`select ${columns} from read_parquet('${path}', file_row_number = true) order by file_row_number`)
  ).map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell))) as Row[];
  const objects = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors });
  const byHyparquet = objects.map((o) => [
    ...[o.hostname, o.metric, o.scope, o.scope_id],
    ...[Number(o.timestamp), Number(o.frequency), o.value],
  ]);
  expect(byHyparquet).toEqual(byDuck);
  return byDuck;
}

function run(
  host: string,
  levels: string[],
  metric: string,
  start: number,
  values: number[],
  frequency = 10,
): SeriesRun {
  return { cluster: 'c', host, levels, metric, frequency, start, values: Float64Array.from(values) };
}

async function* referenceRuns(files: readonly [host: string, from: number][]): AsyncGenerator<SeriesRun> {
  for (const [host, from] of files) yield* readBin(join(DATA, 'wal/disk', host, `${from}.bin`));
}

const ALL_FILES: [string, number][] = [
  ['d02', 1700023980],
  ['d01', 1699999980],
  ['d02', 1699999980],
  ['d01', 1700023980],
];

const KEY_ORDER = 'hostname, metric, scope, scope_id, timestamp';

describe('writeArchive', () => {
  it('writes the rows that the reference archives from the same files', async () => {
    const result = await writeArchive(scratch.path, 'disk', 1700053980, referenceRuns(ALL_FILES));
    expect(result).toEqual({ path: join(scratch.path, 'disk/1700053980.parquet'), rows: 8516 });
    const columns = `cluster, ${KEY_ORDER}, frequency, value::double`;
    const theirs = await sql(`select ${columns} from '${REFERENCE}' order by ${KEY_ORDER}`);
    const ours = await sql(
      `select ${columns} from read_parquet('${result?.path}', file_row_number = true) order by file_row_number`,
    );
    expect(ours).toEqual(theirs);
  });

  it('has the schema of the reference, but for the double', async () => {
    const result = await writeArchive(scratch.path, 'disk', 5, referenceRuns(ALL_FILES));
    const schema = (path: string) =>
      sql(`select name, type, repetition_type, converted_type from parquet_schema('${path}') offset 1`);
    const theirs = await schema(REFERENCE);
    const ours = await schema(result?.path as string);
    expect(theirs.at(-1)).toEqual(['value', 'FLOAT', 'REQUIRED', null]);
    expect(ours).toEqual([...theirs.slice(0, -1), ['value', 'DOUBLE', 'REQUIRED', null]]);
    const codecs = await sql(`select distinct compression from parquet_metadata('${result?.path}')`);
    expect(codecs).toEqual([['ZSTD']]);
  });

  it.each([1, 100, 1 << 22])('sorts runs of any order, keeps every bit (%i bins in memory)', async (sortBins) => {
    const random = seeded(3);
    const bits = new DataView(new ArrayBuffer(8));
    const double = () => {
      if (random() < 0.2) return random() < 0.5 ? -0 : Number.NaN;
      bits.setUint32(0, random() * 2 ** 32);
      bits.setUint32(4, random() * 2 ** 32);
      return Number.isFinite(bits.getFloat64(0)) ? bits.getFloat64(0) : 0;
    };
    const runs: SeriesRun[] = [];
    for (const host of ['n2', 'n10', 'ä', '\u{1F600}', '\uFFFD'])
      for (const levels of [[], ['hwthread10'], ['hwthread9'], ['socket0', 'net'], ['x']])
        for (const metric of ['m', 'M.2'])
          for (let piece = 0; piece < 3; piece++)
            runs.push(run(host, levels, metric, 1000 + piece * 50, Array.from({ length: 5 }, double)));
    runs.push(run('n2', [], 'gone', 1, [Number.NaN]));
    runs.sort(() => random() - 0.5);
    const result = await writeArchive(scratch.path, 'c', 7, runs, { sortBins });
    const expected = runs.flatMap((r): Row[] => {
      const { scope, scopeId } = scopeOf(r.levels);
      return [...r.values]
        .map((value, k): Row => [r.host, r.metric, scope, scopeId, r.start + k * r.frequency, r.frequency, value])
        .filter((row) => !Number.isNaN(row[6]));
    });
    const bytes = (s: string) => Buffer.from(s, 'utf8');
    const byKey = (a: Row, b: Row) =>
      Buffer.compare(bytes(a[0]), bytes(b[0])) ||
      Buffer.compare(bytes(a[1]), bytes(b[1])) ||
      Buffer.compare(bytes(a[2]), bytes(b[2])) ||
      Buffer.compare(bytes(a[3]), bytes(b[3])) ||
      a[4] - b[4];
    const rows = await rowsOf(result?.path as string);
    expect(rows).toEqual(expected.sort(byKey));
    expect(rows.some((row) => Object.is(row[6], -0))).toBe(true);
    expect(readdirSync(join(scratch.path, 'c'))).toEqual(['7.parquet']);
  });

  it('cuts large archives into row groups', async () => {
    const length = ROW_GROUP_ROWS + 1000;
    const values = Float64Array.from({ length }, (_, k) => (k % 997) / 8);
    const result = await writeArchive(scratch.path, 'c', 1, [{ ...run('h', [], 'm', 5000, []), values }]);
    expect(result?.rows).toBe(length);
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(result?.path as string));
    expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([ROW_GROUP_ROWS, 1000]);
    const wrong = await sql(`select count(*) from (select value, (timestamp - 5000) // 10 as k from '${result?.path}')
      where value <> (k % 997) / 8`);
    expect(wrong).toEqual([[0n]]);
  });

  it('gives the same file when it runs again', async () => {
    const first = await writeArchive(scratch.path, 'disk', 9, referenceRuns(ALL_FILES));
    const bytes = readFileSync(first?.path as string);
    expect(await writeArchive(scratch.path, 'disk', 9, referenceRuns(ALL_FILES))).toEqual(first);
    expect(readFileSync(first?.path as string).equals(bytes)).toBe(true);
  });

  it('loses and doubles nothing when only some of the sources are left', async () => {
    const whole = await writeArchive(scratch.path, 'disk', 1, referenceRuns(ALL_FILES));
    await writeArchive(scratch.path, 'disk', 2, referenceRuns(ALL_FILES.slice(0, 3)));
    const again = await writeArchive(scratch.path, 'disk', 2, referenceRuns(ALL_FILES.slice(2)));
    expect(again?.rows).toBe(8516);
    expect(await rowsOf(again?.path as string)).toEqual(await rowsOf(whole?.path as string));
  });

  it('adds to an archive that the reference wrote', async () => {
    const path = scratch.write('disk/3.parquet', readFileSync(REFERENCE));
    const extra = { ...run('d00', [], 'cpu_load', 10, [1]), cluster: 'disk' };
    await writeArchive(scratch.path, 'disk', 3, [extra]);
    const rows = await rowsOf(path);
    expect(rows).toHaveLength(8517);
    expect(rows[0]).toEqual(['d00', 'cpu_load', 'node', '', 10, 10, 1]);
  });

  it('lets the later of overlapping runs count, in one call and over two', async () => {
    const result = await writeArchive(scratch.path, 'c', 1, [
      run('h', [], 'm', 100, [1, 2, 3]),
      run('h', [], 'm', 110, [20]),
    ]);
    const values = async () => (await rowsOf(result?.path as string)).map((row) => [row[4], row[6]]);
    expect(await values()).toEqual([
      [100, 1],
      [110, 20],
      [120, 3],
    ]);
    await writeArchive(scratch.path, 'c', 1, [run('h', [], 'm', 90, [0.5, Number.NaN, Number.NaN, 30])]);
    expect(await values()).toEqual([
      [90, 0.5],
      [100, 1],
      [110, 20],
      [120, 30],
    ]);
  });

  it('keeps both of two series that the columns cannot tell apart, also when it runs again', async () => {
    const runs = [run('h', ['socket0', 'eth'], 'm', 100, [1, 2]), run('h', ['socket1', 'eth'], 'm', 100, [1, 3])];
    for (const sources of [runs, runs, runs.slice(1), runs.slice(0, 1)]) {
      const result = await writeArchive(scratch.path, 'c', 1, sources);
      const rows = await rowsOf(result?.path as string);
      expect(rows.map((row) => [row[2], row[4], row[6]]).sort()).toEqual([
        ['eth', 100, 1],
        ['eth', 100, 1],
        ['eth', 110, 2],
        ['eth', 110, 3],
      ]);
    }
  });

  it('makes no file when there is nothing to archive', async () => {
    expect(await writeArchive(scratch.path, 'c', 1, [])).toBeUndefined();
    expect(await writeArchive(scratch.path, 'c', 1, [run('h', [], 'm', 1, [Number.NaN])])).toBeUndefined();
    expect(readdirSync(join(scratch.path, 'c'))).toEqual([]);
  });

  it('leaves the old file, and no other, when the source fails', async () => {
    const result = await writeArchive(scratch.path, 'c', 1, [run('h', [], 'm', 1, [1])]);
    const bytes = readFileSync(result?.path as string);
    const failing = (async function* () {
      for (let i = 0; i < 10; i++) yield run(`h${i}`, [], 'm', 1, [1]);
      throw new Error('the source broke');
    })();
    await expect(writeArchive(scratch.path, 'c', 1, failing, { sortBins: 2 })).rejects.toThrow('the source broke');
    expect(readdirSync(join(scratch.path, 'c'))).toEqual(['1.parquet']);
    expect(readFileSync(result?.path as string).equals(bytes)).toBe(true);
  });

  it('refuses to replace a file that it cannot read, other clusters and unsafe names', async () => {
    const path = scratch.write('c/1.parquet', 'PAR1 this is no archive PAR1');
    await expect(writeArchive(scratch.path, 'c', 1, [run('h', [], 'm', 1, [1])])).rejects.toThrow(path);
    expect(readFileSync(path, 'utf8')).toContain('no archive');
    await expect(writeArchive(scratch.path, 'd', 1, [run('h', [], 'm', 1, [1])])).rejects.toThrow('one cluster');
    await expect(writeArchive(scratch.path, '../d', 1, [])).rejects.toThrow('directory');
  });

  it('removes what a killed process left, and nothing else', async () => {
    for (const name of ['1.parquet.tmp', '8.parquet.sort-0.tmp', '8.parquet.sort-12.tmp', 'mine.tmp', '2.parquet.txt'])
      scratch.write(`c/${name}`, 'x');
    await writeArchive(scratch.path, 'c', 3, [run('h', [], 'm', 1, [1])]);
    expect(readdirSync(join(scratch.path, 'c')).sort()).toEqual(['2.parquet.txt', '3.parquet', 'mine.tmp']);
  });
});

it.each([
  [[], 'node', ''],
  [['socket0'], 'socket', '0'],
  [['memoryDomain12'], 'memoryDomain', '12'],
  [['core3'], 'core', '3'],
  [['hwthread71'], 'hwthread', '71'],
  [['cpu5'], 'hwthread', '5'],
  [['accelerator00000000:49:00.0'], 'accelerator', '00000000:49:00.0'],
  [['socket'], 'socket', ''],
  [['coreless'], 'coreless', ''],
  [['networketh0'], 'networketh0', ''],
  [['socket0', 'networketh0'], 'networketh0', ''],
])('splits the levels %j into %s and %s', (levels, scope, scopeId) => {
  expect(scopeOf(levels)).toEqual({ scope, scopeId });
});

it('compares text by its UTF-8 bytes', () => {
  const words = [
    '',
    'a',
    'ab',
    'b',
    'é',
    '\u{1F600}',
    '\u{1F601}',
    '\uE000',
    '\uFFFD',
    'a\u{1F600}',
    'a\uFFFD',
    '10',
    '9',
  ];
  for (const a of words)
    for (const b of words) expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
});
