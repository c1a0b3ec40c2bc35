/** Answers are made in steps, with writes, frees and other answers in between: each must still be whole. */
import { describe, expect, it } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import type { SeriesQuery } from '../../src/store/store.js';
import type { Core } from '../../src/wasm/core.js';
import { encodeRequest } from '../../src/wasm/request.js';
import type { Series } from '../support/client.js';
import { checkpoint, coreModule, metric, seriesQuery, startCore, store, T0 } from '../support/core-driver.js';
import { seeded } from '../support/random.js';
import { pick } from './spelling.js';

const METRICS = new Map<string, MetricConfig>([
  ['load', metric(60)],
  ['flops', metric(1, 'sum')],
]);

/** An answer in the making. */
interface Open {
  queries: SeriesQuery[];
  state: number;
  text: string;
  lists: number;
}

function step(core: Core, open: Open, budget: number): boolean {
  const piece = core.reads.queryStep(open.state, budget);
  const ends = core.reads.queryEnds;
  for (const end of ends) expect(piece.bytes[end - 1]).toBe(']'.charCodeAt(0));
  open.text += Buffer.from(piece.bytes).toString();
  open.lists += ends.length;
  if (!piece.done) return false;
  core.reads.queryEnd(open.state);
  const answer = JSON.parse(`[${open.text.slice(1)}]`) as Series[][];
  expect(answer.length).toBe(open.queries.length);
  expect(open.lists).toBe(open.queries.length);
  for (const { from, to, error } of answer.flat()) if (!error) expect(to).toBeGreaterThanOrEqual(from);
  return true;
}

describe('answers in the making', () => {
  for (const name of ['core.wasm', 'core.debug.wasm']) {
    it(`live through whatever happens in between, ${name}`, () => {
      const random = seeded(51);
      const core = startCore(METRICS, { module: coreModule(name) });
      const int = (n: number): number => Math.floor(random() * n);
      const opens: Open[] = [];
      let time = T0;
      let finished = 0;
      const writeSome = (): void => {
        let text = '';
        for (let i = int(300); i > 0; i--) {
          const tags = `cluster=c,hostname=h${int(5)},type=t,type-id=${int(6)}`;
          text += `${pick(random, ['load', 'flops'])},${tags} value=${int(1000) / 8} ${time - int(20_000) * int(2)}\n`;
          time += int(30);
        }
        store(core, text);
        core.writes.logTaken();
      };
      const freeSome = (): void => {
        const selector = pick(random, [['c'], ['c', `h${int(5)}`], ['c', `h${int(5)}`, `t${int(6)}`]]);
        core.writes.free(selector, random() < 0.2 ? time * 2 : time - int(30_000));
        core.writes.logTaken();
      };
      const ask = (): void => {
        const queries = Array.from({ length: 1 + int(6) }, () => {
          const type = random() < 0.6 ? { type: 't', typeIds: ['0', '1', '5', '7'] } : {};
          const aggregate = random() < 0.3;
          return seriesQuery({
            metric: pick(random, ['load', 'flops', 'none']),
            host: `h${int(6)}`,
            aggregate,
            ...type,
          });
        });
        const range = {
          cluster: 'c',
          from: random() < 0.3 ? time - int(300_000) : time - int(3000),
          to: time + int(1000) - 10,
          withStats: random() < 0.8,
          withData: random() < 0.9,
          withPadding: random() < 0.8,
          queries,
        };
        opens.push({ queries, state: core.reads.queryBegin(encodeRequest(range, queries)), text: '', lists: 0 });
      };
      for (let round = 0; round < 3000; round++) {
        const r = random();
        if (r < 0.2) writeSome();
        else if (r < 0.25) freeSome();
        else if (r < 0.26) checkpoint(core, random() < 0.5);
        else if (opens.length < 3 || (r < 0.4 && opens.length < 12)) ask();
        else {
          const at = int(opens.length);
          const open = opens[at];
          // Some clients leave.
          const left = open && random() < 0.02;
          if (left) core.reads.queryEnd(open.state);
          else if (!open || !step(core, open, pick(random, [1, 50, 5000, 1 << 18]))) continue;
          opens.splice(at, 1);
          finished++;
        }
      }
      for (const open of opens) core.reads.queryEnd(open.state);
      expect(finished).toBeGreaterThan(300);
      core.writes.free([], time * 2);
      expect(core.figures.memory).toMatchObject({ openBlocks: 0, sealedBlocks: 0 });
    });
  }
});
