import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Answer, StoreError } from '../../src/store/store.js';
import { ask } from '../support/client.js';
import { until } from '../support/wait.js';
import { errorOf, start } from './harness.js';
import { piecesOf } from './memory-store.js';

const QUERY = { cluster: 'alex', from: 1, to: 2, queries: [{ metric: 'm', host: 'h' }] };

describe('GET and POST /api/query', () => {
  it('answers both with the same, and fills the defaults in', async () => {
    const { port, store } = await start();
    for (const method of ['GET', 'POST']) {
      const answer = await ask(port, '/api/query/?version=v3', { method, body: JSON.stringify(QUERY) });
      expect(answer).toMatchObject({ status: 200, body: '{"results":[]}\n' });
      expect(answer.headers['content-type']).toBe('application/json');
      expect(answer.headers['content-length']).toBe('15');
    }
    const series = { metric: 'm', host: 'h', typeIds: [], subtypeIds: [], aggregate: false, resolution: 0, scaleBy: 0 };
    const request = {
      cluster: 'alex',
      from: 1,
      to: 2,
      queries: [series],
      forAllNodes: [],
      withStats: true,
      withData: true,
      withPadding: true,
    };
    expect(store.queried).toEqual([request, request]);
  });

  it('passes every key on', async () => {
    const { port, store } = await start();
    const series = {
      metric: 'm',
      host: 'h',
      type: 'socket',
      'type-ids': ['0', '1'],
      subtype: 'core',
      'subtype-ids': ['7'],
      aggreg: true,
      resolution: 600,
      'scale-by': -2.5,
    };
    const body = {
      ...QUERY,
      queries: [series],
      'for-all-nodes': ['x'],
      'with-stats': false,
      'with-data': false,
      'with-padding': false,
    };
    await ask(port, '/api/query', { body: JSON.stringify(body) });
    expect(store.queried).toEqual([
      {
        cluster: 'alex',
        from: 1,
        to: 2,
        queries: [
          {
            metric: 'm',
            host: 'h',
            type: 'socket',
            typeIds: ['0', '1'],
            subtype: 'core',
            subtypeIds: ['7'],
            aggregate: true,
            resolution: 600,
            scaleBy: -2.5,
          },
        ],
        forAllNodes: ['x'],
        withStats: false,
        withData: false,
        withPadding: false,
      },
    ]);
  });

  it.each([
    '{"unknown":1,"__proto__":{"cluster":"x"},"queries":[],"from":0,"to":1}',
    '{"queries":null,"from":null,"to":null,"cluster":null,"for-all-nodes":null,"with-stats":null,"with-data":null}',
    '{}',
  ])('takes %s as Go does', async (body) => {
    const { port, store } = await start();
    expect((await ask(port, '/api/query', { body })).status).toBe(200);
    expect(store.queried[0]).toMatchObject({
      cluster: '',
      queries: [],
      withStats: true,
      withData: true,
      withPadding: true,
    });
  });

  it('takes nulls inside of lists as empty values', async () => {
    const { port, store } = await start();
    await ask(port, '/api/query', { body: '{"queries":[null,{"type":"","type-ids":[null]}]}' });
    expect(store.queried[0]?.queries).toMatchObject([
      { metric: '', typeIds: [] },
      { type: '', typeIds: [''] },
    ]);
    expect(store.queried[0]?.queries[0]).not.toHaveProperty('type');
  });

  it.each([
    ['', 'is empty'],
    ['  ', 'is empty'],
    ['{', 'ends in the middle'],
    ['{"a":tru}', 'position 5, near "tru}"'],
    ['{"queries":[]}trailing', 'position 14, near "trailing"'],
    ['[]', 'the request body: expected an object, got Array'],
    ['"x"', 'the request body: expected an object'],
    ['{"cluster":1}', 'cluster: expected a string, got 1'],
    ['{"queries":{}}', 'queries: expected an array, got Object'],
    ['{"queries":[{"metric":1}]}', 'queries[0].metric: expected a string, got 1'],
    ['{"queries":[{},{"type":"hwthread","type-ids":["1",0]}]}', 'queries[1].type-ids[1]: expected a string, got 0'],
    ['{"from":"a"}', 'from: expected a number, got "a"'],
    ['{"from":1.5,"to":2}', 'from: expected an integer, got 1.5'],
    ['{"from":1e300}', 'from: expected'],
    ['{"queries":[[]]}', 'queries[0]: expected an object, got Array'],
    ['{"with-stats":"yes"}', 'with-stats: expected true or false, got "yes"'],
  ])('refuses %j with the place', async (body, message) => {
    const { port, store } = await start();
    const answer = await ask(port, '/api/query', { method: 'GET', body });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toContain(message);
    expect(JSON.parse(answer.body)).toHaveProperty('status', 'Bad Request');
    expect(store.queried).toEqual([]);
  });

  it('survives deep nesting and repeats little of what it refuses', async () => {
    const { port } = await start();
    const deep = await ask(port, '/api/query', { body: `{"a":${'['.repeat(500_000)}` });
    expect(errorOf(deep)).toContain('ends in the middle');
    const long = await ask(port, '/api/query', { body: `{"from":"${'x'.repeat(1_000_000)}"}` });
    expect(errorOf(long)).toMatch(/^from: expected a number, got "xxx/);
    expect(long.body.length).toBeLessThan(400);
  });

  it('says when a GET has no body at all', async () => {
    const { port } = await start();
    expect(await ask(port, '/api/query')).toMatchObject({ status: 400 });
  });

  it('streams several pieces', async () => {
    const { port, store, observed } = await start();
    const piece = 'x'.repeat(300_000);
    store.pieces = () => piecesOf('"', piece, piece, piece, '"');
    const answer = await ask(port, '/api/query', { body: '{}' });
    expect(answer.headers['transfer-encoding']).toBe('chunked');
    expect(answer.body).toBe(`"${piece.repeat(3)}"`);
    await until(() => observed.length === 1);
    expect(observed[0]?.bytes).toBe(900_004);
  });

  it.each([
    [new StoreError('LOADING', 'loading'), 503],
    [new StoreError('INTERNAL', 'x'), 500],
  ])('answers %s from the store', async (error, status) => {
    const { port, store } = await start();
    store.pieces = () => error;
    expect((await ask(port, '/api/query', { body: '{}' })).status).toBe(status);
  });

  it('sends an answer that is there as a whole, with its length', async () => {
    const { port, store, observed } = await start();
    store.pieces = () => Buffer.from('{"results":[]}\n');
    const answer = await ask(port, '/api/query', { body: '{}' });
    expect(answer.body).toBe('{"results":[]}\n');
    expect(answer.headers).toMatchObject({ 'content-length': '15', 'content-type': 'application/json' });
    await until(() => observed.length === 1);
    expect(observed[0]?.bytes).toBe(17);
  });

  it('keeps the order of small and large pieces', async () => {
    const { port, store } = await start();
    const sizes = Array.from({ length: 400 }, (_, i) => ((i * 7919) % 13 === 0 ? 40_000 : (i * 31) % 300));
    const texts = sizes.map((size, i) => String.fromCharCode(97 + (i % 26)).repeat(size));
    store.pieces = () => piecesOf(...texts);
    const answer = await ask(port, '/api/query', { body: '{}' });
    expect(answer.headers['transfer-encoding']).toBe('chunked');
    expect(answer.body).toBe(texts.join(''));
  });

  it('still answers an error that comes early', async () => {
    const { port, store } = await start();
    store.pieces = async function* () {
      yield* [];
      throw new StoreError('OVERLOADED', 'too much');
    };
    expect((await ask(port, '/api/query', { body: '{}' })).status).toBe(503);
  });

  it('breaks the connection when the source fails later', async () => {
    const { port, store, logged } = await start();
    store.pieces = async function* () {
      yield Buffer.alloc(100_000, ' ');
      yield Buffer.from('[]');
      throw new Error('worker died');
    };
    await expect(ask(port, '/api/query', { body: '{}' })).rejects.toThrow();
    await until(() => logged.some((line) => line.includes('worker died')));
  });

  it('stops the source when the client leaves, and waits for clients that do not read', async () => {
    const { port, store } = await start();
    let made = 0;
    let stopped = false;
    store.pieces = async function* () {
      try {
        for (;;) {
          made++;
          yield new Uint8Array(256 << 10).fill(32);
        }
      } finally {
        stopped = true;
      }
    };
    const socket = connect(port, '127.0.0.1');
    socket.pause();
    socket.write('POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    await until(() => made > 2);
    let before = -1;
    while (before !== made) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // Kernel buffers of the two sockets take some megabytes; after that nothing is made.
    expect(made).toBeLessThan(100);
    expect(stopped).toBe(false);
    socket.destroy();
    await until(() => stopped);
  });

  it('stops the source of a client that left before there was one', async () => {
    const { port, store } = await start();
    let begun = false;
    let stopped = false;
    let answer = (_: Answer): void => {};
    store.pieces = () => {
      begun = true;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    await until(() => begun);
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    async function* pieces() {
      try {
        for (;;) yield new Uint8Array(256 << 10).fill(32);
      } finally {
        stopped = true;
      }
    }
    answer(pieces());
    await until(() => stopped);
  });
});
