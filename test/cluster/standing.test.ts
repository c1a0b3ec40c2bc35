import { describe, expect, it } from 'vitest';
import { type OwnCopy, standingOf } from '../../src/cluster/copies/standing.js';
import type { Holding } from '../../src/cluster/members/members.js';

const FIRST = '2026-01-01T00:00:00Z';
const SECOND = '2026-01-02T00:00:00.5Z';
const THIRD = '2026-01-03T00:00:00.123456789Z';

/** A copy that follows the second stream and has read so much of the first one. */
const own = (seq: number, more: Partial<OwnCopy> = {}): OwnCopy => ({
  created: SECOND,
  before: { created: FIRST, seq },
  isLost: true,
  isWaiting: false,
  ...more,
});
const alive = (...holding: Holding) => ({ isAlive: true, holding });
const gone = (...holding: Holding) => ({ isAlive: false, holding });

describe('a copy whose stream was made anew', () => {
  it('is whole when nobody has more of the one before', () => {
    expect(standingOf(own(5), [])).toBe('whole');
    expect(standingOf(own(5), [alive(1, 1, 1, SECOND, { created: FIRST, seq: 5 })])).toBe('whole');
    expect(standingOf(own(5), [alive(1, 1, 1, SECOND), gone(1, 1, 1, SECOND, { created: FIRST, seq: 4 })])).toBe(
      'whole',
    );
    expect(standingOf(own(5), [gone(5, 5, 1, FIRST)])).toBe('whole');
  });

  it('is lacking when somebody has more, or had when it was last heard of', () => {
    expect(standingOf(own(5), [alive(1, 1, 1, SECOND, { created: FIRST, seq: 6 })])).toBe('lacking');
    expect(standingOf(own(5), [gone(1, 1, 1, SECOND, { created: FIRST, seq: 6 })])).toBe('lacking');
    expect(standingOf(own(5), [gone(6, 6, 1, FIRST)])).toBe('lacking');
    expect(standingOf(own(5, { before: undefined }), [alive(1, 1, 1, SECOND, { created: FIRST, seq: 1 })])).toBe(
      'lacking',
    );
  });

  it('does not know before the living others have found the new stream', () => {
    expect(standingOf(own(5), [alive(4, 4, 1, FIRST)])).toBe('unknown');
    expect(standingOf(own(5), [alive(0, 0, 0, '')])).toBe('unknown');
    expect(standingOf(own(5, { before: undefined }), [alive(4, 4, 1, FIRST)])).toBe('unknown');
  });

  it('is lacking when others have some of a stream that it has never seen', () => {
    const late = own(9, { created: THIRD });
    expect(standingOf(late, [alive(1, 1, 1, THIRD, { created: SECOND, seq: 1 })])).toBe('lacking');
    expect(standingOf(late, [alive(1, 1, 1, THIRD, { created: SECOND, seq: 0 })])).toBe('whole');
    const never = own(1, { created: THIRD, before: { created: SECOND, seq: 1 } });
    expect(standingOf(never, [alive(1, 1, 1, THIRD, { created: FIRST, seq: 9 })])).toBe('whole');
  });
});

describe('a copy whose stream went back', () => {
  const back = own(9, { created: FIRST, isLost: false, isWaiting: true });

  it('waits for the others for a while: who had read less than what is left finds nothing', () => {
    expect(standingOf(back, [alive(7, 7, 1, FIRST)])).toBe('unknown');
    expect(standingOf({ ...back, isWaiting: false }, [alive(7, 7, 1, FIRST)])).toBe('whole');
    expect(standingOf(back, [alive(7, 7, 1, FIRST, { created: FIRST, seq: 10 })])).toBe('lacking');
  });

  it('is lacking when it has found nothing, and another one has', () => {
    const unaware = { created: FIRST, before: undefined, isLost: false, isWaiting: false };
    expect(standingOf(unaware, [alive(7, 7, 1, FIRST)])).toBe('whole');
    expect(standingOf(unaware, [alive(7, 7, 1, FIRST, { created: FIRST, seq: 9 })])).toBe('lacking');
  });
});
