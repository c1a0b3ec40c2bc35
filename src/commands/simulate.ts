/** `npm run simulate`: posts a realistic cluster at a running server. `-h` lists the flags; Ctrl-C stops it with a summary. */
import { parseOptions } from '../simulate/options.js';
import { createPoster } from '../simulate/post.js';
import { run } from '../simulate/run.js';
import { Tally } from '../simulate/tally.js';

const PROGRESS_MS = 1000;

const options = parseOptions(process.argv.slice(2), Math.floor(Date.now() / 1000));
if ('exit' in options) {
  process.stderr.write(options.text);
  process.exit(options.exit);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // The second one takes the default way out: at once.
  process.once(signal, () => stop.abort());
}
const tally = new Tally();
const poster = createPoster({ ...options, cluster: options.shape.cluster });
const ticker = setInterval(() => process.stderr.write(`${tally.progress()}\n`), PROGRESS_MS);
try {
  await run(options, poster, tally, stop.signal);
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const hint = code === 'ECONNREFUSED' ? ': is the server running there?' : '';
  process.stderr.write(`cannot post to ${options.url.href}: ${message || code}${hint}\n`);
  process.exitCode = 1;
} finally {
  clearInterval(ticker);
  poster.close();
}
if (tally.bytes > 0) process.stderr.write(`${tally.summary()}\n`);
if (tally.refused > 0) process.exitCode = 1;
