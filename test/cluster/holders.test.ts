/** Who is asked about a partition, and who next. The stores are made up; real ones are in three.test.ts. */
import { describe, expect, it } from 'vitest';
import type { Copies } from '../../src/cluster/copies/copies.js';
import { Holders } from '../../src/cluster/holders.js';
import type { LocalHolder } from '../../src/cluster/local-holder.js';
import type { Member, Members } from '../../src/cluster/members/members.js';
import { Elsewhere, type Peer } from '../../src/cluster/peers/peer.js';
import type { Question } from '../../src/store/query/question.js';
import { StoreError } from '../../src/store/store.js';

/** How a made-up store answers. */
type Behaviour = 'answers' | 'elsewhere' | 'fails' | 'hangs';

interface FakeStream {
  from: string;
  partition: number;
  isLeft: boolean;
  leave(): unknown;
}

/** @param stores those beside this one: what they hold, and how they answer. @param own partitions of this store. @param isCutOff from NATS. */
function cluster(stores: Record<string, { holds: number[]; does: Behaviour }>, own: number[] = [], isCutOff = false) {
  const asked: string[] = [];
  const streams: FakeStream[] = [];
  const waiting: (() => void)[] = [];
  const answer = (id: string, does: Behaviour) => async (questions: readonly Question[]) => {
    asked.push(`${id} ${questions.map(({ partition }) => partition)}`);
    if (does === 'elsewhere') throw new Elsewhere('behind');
    if (does === 'fails') throw new StoreError('NOT_FOUND', 'no such selector');
    if (does === 'hangs') await new Promise<void>((resolve) => waiting.push(resolve));
    return questions.map(({ partition }) => {
      const stream = { from: id, partition, isLeft: false, leave: () => Object.assign(stream, { isLeft: true }) };
      streams.push(stream);
      return stream;
    });
  };
  const peers = new Map(
    Object.entries(stores).map(([id, { does }]) => {
      const peer = {
        isSlow: false,
        inFlight: 0,
        ask: answer(id, does),
        call: async () => 0,
        noteSlow: () => Object.assign(peer, { isSlow: true }),
      };
      return [id, peer];
    }),
  );
  const others = Object.entries(stores).map(([id, { holds }]) => ({
    id,
    heartbeat: { state: 'active', holds: Object.fromEntries(holds.map((partition) => [partition, [1, 1, 1]])) },
  }));
  const holders = new Holders({
    id: 'own',
    members: { others, isCutOff, isAlive: () => true } as unknown as Members,
    copies: {
      of: (partition: number) => (own.includes(partition) ? {} : undefined),
      isReady: (partition: number) => own.includes(partition),
    } as unknown as Copies,
    local: { ask: answer('own', 'answers'), call: async () => 0 } as unknown as LocalHolder,
    peerOf: ({ id }: Member) => peers.get(id) as unknown as Peer,
    minimumOf: async () => ({ seq: 0 }),
    command: async () => 0,
    failedOver: () => {},
    answeredStale: () => {},
  });
  const question = (partition: number): Question => ({ partition, kind: 'query', request: new Uint8Array(0) });
  const ask = async (...partitions: number[]): Promise<string[]> => {
    const found = await holders.ask(partitions.map(question));
    return (found as unknown as FakeStream[]).map(({ from, partition }) => `${partition} of ${from}`);
  };
  const askStrongly = (partition: number) => holders.ask([{ ...question(partition), isStrong: true }]);
  return { ask, askStrongly, asked, streams, letGo: () => waiting.splice(0).forEach((resolve) => void resolve()) };
}

describe('questions to a cluster', () => {
  it('go to the own copies, and to the others in one request a store, and come back in their order', async () => {
    const { ask, asked } = cluster({ b: { holds: [1, 3], does: 'answers' }, c: { holds: [2], does: 'answers' } }, [0]);
    expect(await ask(3, 0, 2, 1)).toEqual(['3 of b', '0 of own', '2 of c', '1 of b']);
    expect(asked.sort()).toEqual(['b 3,1', 'c 2', 'own 0']);
  });

  it('go on to another holder when one can not answer', async () => {
    const { ask, asked } = cluster({ b: { holds: [1], does: 'elsewhere' }, c: { holds: [1], does: 'answers' } });
    expect(await ask(1)).toEqual(['1 of c']);
    expect(asked).toEqual(['b 1', 'c 1']);
  });

  it('have an error as their answer when that is one, and leave the answers of the others', async () => {
    const { ask, streams } = cluster({ b: { holds: [1], does: 'fails' }, c: { holds: [2], does: 'answers' } });
    await expect(ask(1, 2)).rejects.toThrow('no such selector');
    expect(streams.map(({ isLeft }) => isLeft)).toEqual([true]);
  });

  it('are asked of another holder as well when one does not begin, which is asked last from then on', async () => {
    const { ask, asked, streams, letGo } = cluster({
      b: { holds: [1], does: 'hangs' },
      c: { holds: [1], does: 'answers' },
    });
    expect(await ask(1)).toEqual(['1 of c']);
    letGo();
    await expect.poll(() => streams.map(({ from, isLeft }) => `${from} ${isLeft}`)).toEqual(['c false', 'b true']);
    expect(await ask(1)).toEqual(['1 of c']);
    expect(asked).toEqual(['b 1', 'c 1', 'c 1']);
  });

  it('are not asked twice of the only holder, however slow it is', async () => {
    const { ask, asked, letGo } = cluster({ b: { holds: [1], does: 'hangs' } });
    const answer = ask(1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    letGo();
    expect(await answer).toEqual(['1 of b']);
    expect(asked).toEqual(['b 1']);
  });

  it('that want all there is are not answered by a copy that may lack something', async () => {
    const { ask, askStrongly, asked } = cluster({}, [0], true);
    await expect(askStrongly(0)).rejects.toThrow('no store that holds partition 0 has answered');
    expect(asked).toEqual([]);
    expect(await ask(0)).toEqual(['0 of own']);
  });
});
