/** Examples of refused lines, as a real core refuses them. */
import { expect, it } from 'vitest';
import { Refusals } from '../../src/partition/refusals.js';
import { metric, startCore, T0 } from '../support/core-driver.js';

const encoder = new TextEncoder();
const core = startCore(new Map([['load', metric(60)]]));

/** Stores lines and notes those that are refused. */
function refuse(refusals: Refusals, lines: readonly string[], now: number): void {
  const text = encoder.encode(lines.join('\n'));
  refusals.note(text, core.writes.ingest(text, 'alex', 0, T0), now);
}

const examples = (refusals: Refusals) =>
  new Map(refusals.figures([]).flatMap(({ reason, example }) => (example ? [[reason, example] as const] : [])));

it('keeps the first line of each reason of the newest batch', () => {
  const refusals = new Refusals();
  const good = `load,hostname=f1 value=1 ${T0}`;
  refuse(refusals, ['load,hostname=f1 value=a', good, 'load value=1', 'load,hostname=f1 value=b'], 100);
  refuse(refusals, [good, '', 'load,hostname=f2 value=ä'], 200);
  expect(examples(refusals)).toEqual(
    new Map([
      ['bad_value', { time: 200, line: 'load,hostname=f2 value=ä' }],
      ['no_host', { time: 100, line: 'load value=1' }],
    ]),
  );
});

it('keeps a little of a long line, and the last one without a line end', () => {
  const refusals = new Refusals();
  refuse(refusals, [`load,hostname=f1 value=${'x'.repeat(5000)}`], 1);
  expect(examples(refusals).get('bad_value')?.line).toHaveLength(300);
});

it('names every reason with its count, so that a rate is defined before the first', () => {
  const figures = new Refusals().figures([0, 0, 7]);
  expect(figures.length).toBeGreaterThan(15);
  expect(figures.find(({ reason }) => reason === 'bad_tag')).toMatchObject({
    count: 7,
    text: expect.stringContaining('bad tag'),
  });
  expect(figures.filter(({ count }) => count > 0)).toHaveLength(1);
});
