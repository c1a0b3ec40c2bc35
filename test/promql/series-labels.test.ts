import { expect, it } from 'vitest';
import { SeriesLabels } from '../../src/promql/store/series-labels.js';
import { LeafAnswerPart } from '../../src/wasm/leaf.js';
import { encodeNames } from '../../src/wasm/names.js';

const NO_BITS = new Uint8Array(0);

function part(metric: string, ...levels: string[]): LeafAnswerPart {
  const names = Buffer.from(encodeNames(levels, metric)).toString('latin1');
  return new LeafAnswerPart(names, 60, 0, 0, NO_BITS, []);
}

it('labels are those of the names, in any letters', () => {
  const labels = new SeriesLabels();
  const texts = [part('m', 'c', 'h'), part('ζ', 'c', 'hé', 'socket0', 'core12'), part('m', 'c', 'h', '時')].map((one) =>
    labels.of(one).toString(),
  );
  expect(texts).toEqual([
    '{__name__="m", cluster="c", hostname="h", type="node"}',
    '{__name__="ζ", cluster="c", hostname="hé", stype="core", stype_id="12", type="socket", type_id="0"}',
    '{__name__="m", cluster="c", hostname="h", type="時"}',
  ]);
});

it('labels are made once, and forgotten when there are too many', () => {
  const labels = new SeriesLabels();
  const first = labels.of(part('m', 'c', 'h'));
  expect(labels.of(part('m', 'c', 'h'))).toBe(first);
  expect(labels.of(part('n', 'c', 'h'))).not.toBe(first);
  const hosts = Array.from({ length: 20_000 }, (_, host) => `h${host}`);
  expect(hosts.filter((host) => labels.of(part('m', 'c', host)).get('hostname') !== host)).toEqual([]);
  const again = labels.of(part('m', 'c', 'h'));
  expect(again).not.toBe(first);
  expect(again.key).toBe(first.key);
});

it('labels without the name are made once as well', () => {
  const labels = new SeriesLabels().of(part('m', 'c', 'h'));
  expect(labels.withoutName().toString()).toBe('{cluster="c", hostname="h", type="node"}');
  expect(labels.withoutName()).toBe(labels.withoutName());
});
