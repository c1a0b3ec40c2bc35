/** Tables of more rows than a batch, a page or a row group has: Arrow and Parquet hold the same, and what was put in. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { arrowStream } from '../../src/table/arrow.js';
import { csvText } from '../../src/table/csv.js';
import { parquetOf } from '../../src/table/parquet.js';
import type { Run, Table } from '../../src/table/table.js';
import { temporaryDirectory } from '../support/directories.js';
import { python } from '../support/python.js';
import { seeded } from '../support/random.js';

const ROWS = (1 << 20) + 100_000;
const HOSTS = Array.from({ length: 300 }, (_, i) => `host${i}`);
const T0 = 1_700_000_000_000;

/** Runs of 1 to 9000 rows, for two batches of one or two, some with uneven times, some with the same times as the one before. */
function runs(rows: number): Run[] {
  const random = seeded(11);
  const below = (n: number) => Math.floor(random() * n);
  const made: Run[] = [];
  let start = T0;
  let length = 1;
  for (let left = rows; left > 0; left -= length) {
    if (left < 700_000 && left > 560_000) length = 1 + below(2);
    else if (below(3) === 0) {
      length = below(4) === 0 ? 1 + below(5) : 1 + below(9000);
      start = T0 + below(1e9);
    }
    length = Math.min(length, left);
    const values = Float64Array.from({ length }, () => below(1e6) / 8);
    const uneven = Float64Array.from({ length }, (_, i) => start + 60_000 * i + (i % 7));
    made.push({
      query: made.length >> 2,
      texts: Int32Array.of(below(HOSTS.length), below(2) - 1, -1),
      values,
      times: start % 2 === 0 ? { start, step: 2 ** 20 } : uneven,
    });
  }
  return made;
}

function tableOf(all: readonly Run[]): Table {
  return {
    hasQueries: true,
    columns: [
      { name: 'hostname', texts: HOSTS },
      { name: 'type', texts: ['ä,"b"'] },
      { name: 'stype', texts: [] },
    ],
    notes: new Map(),
    runs: Readable.from(all) as AsyncIterable<Run>,
  };
}

const READ = `
import sys, json, pyarrow, pyarrow.ipc, pyarrow.parquet, pyarrow.compute as pc
stream = pyarrow.ipc.open_stream(sys.argv[1])
batches = list(stream)
arrow = pyarrow.Table.from_batches(batches)
arrow.validate(full=True)
file = pyarrow.parquet.ParquetFile(sys.argv[2])
parquet = file.read()
plain = pyarrow.schema([(f.name, f.type.value_type if pyarrow.types.is_dictionary(f.type) else f.type) for f in arrow.schema])
by_host = arrow.group_by("hostname").aggregate([("value", "sum"), ("query", "max")]).to_pylist()
print(json.dumps({
  "batches": [len(batch) for batch in batches],
  "groups": [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)],
  "same": [a.equals(b) for a, b in zip(arrow.cast(plain).combine_chunks().columns, parquet.cast(plain).combine_chunks().columns)],
  "times": str(sum(pc.sum(part).as_py() for part in arrow["timestamp"].cast(pyarrow.int64()).chunks)),
  "types": pc.count(arrow["type"]).as_py(),
  "values": {row["hostname"]: row["value_sum"] for row in by_host},
}))`;

describe('Arrow and Parquet', () => {
  it('hold long tables in batches and row groups, row for row', async () => {
    const directory = temporaryDirectory();
    const all = runs(ROWS);
    await pipeline(arrowStream(tableOf(all)), createWriteStream(join(directory, 'arrow')));
    await pipeline(await parquetOf(tableOf(all)), createWriteStream(join(directory, 'parquet')));
    const seen = JSON.parse(await python(['-c', READ, join(directory, 'arrow'), join(directory, 'parquet')]));

    expect(seen.groups).toEqual([1 << 20, 100_000]);
    expect(seen.batches.slice(0, -1).every((rows: number) => rows === 65_536)).toBe(true);
    expect(seen.same).toEqual([true, true, true, true, true, true]);
    const sums = new Map<string, number>();
    let times = 0n;
    let types = 0;
    for (const { texts, values, times: at } of all) {
      const host = HOSTS[texts[0] ?? 0] ?? '';
      sums.set(host, (sums.get(host) ?? 0) + values.reduce((sum, value) => sum + value, 0));
      types += texts[1] === 0 ? values.length : 0;
      for (let i = 0; i < values.length; i++) {
        times += BigInt(at instanceof Float64Array ? (at[i] ?? 0) : at.start + i * at.step);
      }
    }
    expect(seen.times).toBe(String(times));
    expect(seen.types).toBe(types);
    expect(seen.values).toEqual(Object.fromEntries(sums));
  });
});

describe('CSV', () => {
  it('quotes what needs it, and leaves null empty', async () => {
    const [first] = runs(3);
    if (first === undefined) throw new Error('no run');
    const run: Run = {
      ...first,
      texts: Int32Array.of(7, 0, -1),
      values: Float64Array.of(-0, 1e21, Number.NEGATIVE_INFINITY),
      times: { start: T0, step: 500 },
    };
    let text = '';
    for await (const piece of csvText(tableOf([run]))) text += Buffer.from(piece).toString();
    expect(text.split('\r\n')).toEqual([
      'query,hostname,type,stype,timestamp,value',
      '0,host7,"ä,""b""",,2023-11-14T22:13:20.000Z,-0',
      '0,host7,"ä,""b""",,2023-11-14T22:13:20.500Z,1e+21',
      '0,host7,"ä,""b""",,2023-11-14T22:13:21.000Z,-inf',
      '',
    ]);
  });
});
