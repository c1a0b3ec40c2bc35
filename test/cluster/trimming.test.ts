/** What of a stream is removed, and when; real streams are trimmed in faults.test.ts. */
import type { JetStreamManager } from 'nats';
import { describe, expect, it } from 'vitest';
import type { Copies } from '../../src/cluster/copies/copies.js';
import { Trimming } from '../../src/cluster/copies/trimming.js';
import type { Members } from '../../src/cluster/members/members.js';

const KEEP_MS = 1000;

/** @param saved last message that each store has on its disk, by its id; undefined: it has no copy. They can be changed. @param owners of partition 0. */
function trimming(saved: Record<string, number | undefined>, owners: string[]) {
  const purged: string[] = [];
  const manager = {
    streams: { purge: async (stream: string, { seq }: { seq: number }) => purged.push(`${stream} before ${seq}`) },
  } as unknown as JetStreamManager;
  const members = {
    get all() {
      return Object.entries(saved).map(([id, seq]) => ({
        id,
        heartbeat: { holds: seq === undefined ? {} : { 0: [seq + 5, seq, 1] } },
      }));
    },
  } as unknown as Members;
  const copies = { all: new Map([[0, {}]]), ownersOf: () => owners } as unknown as Copies;
  const subject = new Trimming('hpc', 'a', members, copies, KEEP_MS);
  return { purged, run: (now: number) => subject.run(manager, now) };
}

describe('a stream', () => {
  it('loses what was on the disks of all holders a while ago, each message once', async () => {
    // c is no owner any more, and has it still.
    const saved = { a: 10, b: 8, c: 6 };
    const { purged, run } = trimming(saved, ['a', 'b']);
    await run(0);
    saved.c = 20;
    await run(500);
    expect(purged).toEqual([]);
    await run(1000);
    await run(1400);
    expect(purged).toEqual(['CCMS_hpc_0 before 7']);
    await run(1500);
    await run(9000);
    expect(purged).toEqual(['CCMS_hpc_0 before 7', 'CCMS_hpc_0 before 9']);
  });

  it('keeps everything while an owner has no copy, and from then on for as long as ever', async () => {
    const saved: Record<string, number | undefined> = { a: 10, b: 10 };
    const { purged, run } = trimming(saved, ['a', 'b']);
    await run(0);
    saved.b = undefined;
    await run(2000);
    saved.b = 10;
    await run(2100);
    await run(3000);
    expect(purged).toEqual([]);
    await run(3100);
    expect(purged).toEqual(['CCMS_hpc_0 before 11']);
  });

  it('is the first owner’s to trim', async () => {
    const { purged, run } = trimming({ a: 10, b: 10 }, ['b', 'a']);
    await run(0);
    await run(5000);
    expect(purged).toEqual([]);
  });
});
