import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Publisher } from '../../src/cluster/publisher.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Sent {
  text: string;
  ack(seq: number): void;
  fail(error: Error): void;
}

/** A stream that acknowledges when it is told to. */
function stream(): { publisher: Publisher; sent: Sent[]; acked: number[] } {
  const sent: Sent[] = [];
  const acked: number[] = [];
  const publisher = new Publisher({
    subject: 's',
    stream: 'S',
    publish: (_, data) =>
      new Promise((resolve, reject) => {
        sent.push({ text: decoder.decode(data), ack: (seq) => resolve({ seq }), fail: reject });
      }),
    acknowledged: (seq) => acked.push(seq),
    failed: () => {},
  });
  return { publisher, sent, acked };
}

const lines = (text: string): Uint8Array[] => [encoder.encode(text)];
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('a publisher', () => {
  it('sends the first lines at once, and gathers others of the same head while they are on their way', async () => {
    const { publisher, sent, acked } = stream();
    const first = publisher.lines('#a\n', lines('1\n'));
    const second = publisher.lines('#a\n', lines('2'));
    const third = publisher.lines('#a\n', lines('3\n'));
    expect(sent.map(({ text }) => text)).toEqual(['#a\n1\n']);
    sent[0]?.ack(7);
    expect(await first).toBe(7);
    await settle();
    expect(sent.map(({ text }) => text)).toEqual(['#a\n1\n', '#a\n2\n3\n']);
    sent[1]?.ack(8);
    expect(await Promise.all([second, third])).toEqual([8, 8]);
    expect(acked).toEqual([7, 8]);
  });

  it('keeps lines of other heads, and commands, apart and in order', async () => {
    const { publisher, sent } = stream();
    void publisher.lines('#a\n', lines('1\n'));
    void publisher.lines('#b\n', lines('2\n'));
    void publisher.command('#free\n');
    void publisher.lines('#b\n', lines('3\n'));
    for (let i = 0; i < 4; i++) {
      await settle();
      sent[i]?.ack(i);
    }
    expect(sent.map(({ text }) => text)).toEqual(['#a\n1\n', '#b\n2\n', '#free\n', '#b\n3\n']);
  });

  it('has at most four messages on their way, cut at ends of lines', async () => {
    const { publisher, sent } = stream();
    const line = `${'x'.repeat(999)}\n`;
    const done = publisher.lines('#\n', lines(line.repeat(2000)));
    await settle();
    expect(sent).toHaveLength(4);
    for (let i = 0; i < sent.length; i++) {
      sent[i]?.ack(i + 1);
      await settle();
    }
    expect(await done).toBe(sent.length);
    let total = 0;
    for (const { text } of sent) {
      expect(text.length).toBeLessThanOrEqual(256 << 10);
      expect((text.length - 2) % 1000).toBe(0);
      total += text.length - 2;
    }
    expect(total).toBe(2_000_000);
  });

  it('publishes again what was not acknowledged, and answers once it is', async () => {
    const { publisher, sent } = stream();
    const done = publisher.lines('#\n', lines('1\n'));
    sent[0]?.fail(new Error('timeout'));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(sent.map(({ text }) => text)).toEqual(['#\n1\n', '#\n1\n']);
    sent[1]?.ack(3);
    expect(await done).toBe(3);
  });

  it('gives up twelve seconds after the lines came, and says what was said last', async () => {
    let now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => clock.mockRestore());
    const { publisher, sent } = stream();
    const done = publisher.lines('#\n', lines('1\n'));
    const refused = expect(done).rejects.toThrow(
      /stream S did not acknowledge within 12 s: no leader; write again later/,
    );
    now += 11_000;
    sent[0]?.fail(new Error('timeout'));
    await vi.waitUntil(() => sent.length === 2);
    now += 1_000;
    sent[1]?.fail(new Error('no leader'));
    await refused;
    expect(sent).toHaveLength(2);
  });
});
