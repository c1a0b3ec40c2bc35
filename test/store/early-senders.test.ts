import { expect, it } from 'vitest';
import { EarlySenders } from '../../src/store/early-senders.js';

const NOW = 1_700_000_000;

it('hosts of good lines are known, each once a cluster, for as long as they count', () => {
  const senders = new EarlySenders();
  const bad = 'cpu,hostname=bad value=x\n';
  const good =
    'cpu,cluster=c,hostname=a,type=node value=1\nmem,host=b value=2 17\nmem,host=b value=3\ncpu,host=a value=4';
  const text = Buffer.from(bad + good);
  const runs = [{ partition: 0, offset: bad.length, length: good.length, lines: 4, firstLine: 2 }];
  senders.note(text, runs, 'd', NOW - 400);
  senders.note(
    Buffer.from('cpu,hostname=a value=5\n'),
    [{ partition: 0, offset: 0, length: 23, lines: 1, firstLine: 1 }],
    'c',
    NOW,
  );
  expect(senders.activeHosts(NOW - 500)).toBe(3);
  expect(senders.activeHosts(NOW - 300)).toBe(1);
  expect(senders.isActive('c', 'a', NOW - 300)).toBe(true);
  expect(senders.isActive('d', 'a', NOW - 300)).toBe(false);
  expect(senders.isActive('d', 'a', NOW - 500)).toBe(true);
  expect(senders.isActive('d', 'b', NOW - 300)).toBe(false);
  expect(senders.isActive('d', 'bad', 0)).toBe(false);
});
