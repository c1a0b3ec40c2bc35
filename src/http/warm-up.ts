/**
 * Asks the server's own code a few dozen questions once it is ready. V8 compiles a function when it is first called and
 * optimises it after many calls: without this the first question of a user takes 5 ms and the first ten twice as long as
 * later ones. The requests go over a pair of streams in memory, through Node's HTTP, Hono and the workers, past
 * authentication and telemetry; they ask for a cluster that has no name, so there is nothing to read.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import * as streams from 'node:stream';

/** Enough for V8 to optimise what every request passes. */
const ROUNDS = 40;

const QUESTIONS: readonly string[] = [
  {
    cluster: '',
    from: 0,
    to: 600,
    queries: [{ metric: '', host: '', type: 't', 'type-ids': ['0', '1'], aggreg: false }],
  },
  { cluster: '', from: 0, to: 600, 'with-stats': true, 'with-data': false, 'for-all-nodes': ['a', 'b'] },
].map((question) => JSON.stringify(question));

/** Node 20.17 and later; before it `duplexPair` is missing and the first questions do the work. */
const { duplexPair } = streams as Partial<Pick<typeof streams, 'duplexPair'>>;

/** Status of the answer, once it is read. */
function ask(body: string, connect: () => streams.Duplex): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ method: 'GET', path: '/api/query', createConnection: connect });
    asked.on('response', (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
    asked.on('error', reject);
    asked.setHeader('Content-Length', Buffer.byteLength(body));
    asked.end(body);
  });
}

/**
 * Resolves when done, at the latest when the store no longer answers.
 * @param listener answers requests, without authentication and without being counted.
 */
export async function warmUp(listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Promise<void> {
  if (duplexPair === undefined) return;
  const server = createServer(listener);
  const connect = (): streams.Duplex => {
    const [near, far] = duplexPair();
    server.emit('connection', far);
    return near;
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const question of QUESTIONS) if ((await ask(question, connect)) !== 200) return;
  }
}
