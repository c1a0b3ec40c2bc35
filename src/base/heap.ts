/**
 * Three habits of the process's memory that streams of bodies and answers make expensive, set right at the start.
 *
 * Node hands a body over in buffers of up to 64 KiB outside of V8's heap.
 *
 * 1. They are freed when a scavenge finds their handles dead. Writes make little garbage inside the heap, so scavenges come
 *    rarely, a hundred megabytes of dead buffers pile up, and V8 answers with full collections. Measured with 8 hosts x 743
 *    lines as fast as possible: 15 full collections of about 12 ms in 3.5 s and 144 MB resident; with a scavenge every few
 *    megabytes 1 and 113 MB. `countReceived` does that.
 * 2. glibc gives freed memory at the end of its heap back to the kernel at once (M_TRIM_THRESHOLD, 128 KiB), so the next
 *    body faults its pages in again: 17 % of the main thread's time. The threshold follows the largest block that was ever
 *    mapped and freed (malloc(3), "dynamic mmap threshold"), so one such block, never touched, ends that.
 * 3. V8's young generation grows to 32 MB where much of it survives for a moment, as rows of a query do. Then a scavenge stops the
 *    thread for 10 to 17 ms. V8 also begins a full collection when the old generation has less room left than the young one is large;
 *    the limit of an old one of 13 MB is 29, so each answer in columns brought about such a collection. It stays as it is at
 *    the start, 2 to 8 MB: see docs/performance.md.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Without options all garbage. With any, Node 20 collects what is young: also with `{ type: 'major' }`. */
type Collect = (options?: { type: 'minor' }) => void;

/** Bytes received between two scavenges of about 0.4 ms. */
const SCAVENGE_BYTES = 6 << 20;
/** Just below the largest block that glibc's threshold follows (32 MiB). */
const THRESHOLD_BLOCK = 30 << 20;

let found: Collect | undefined;

/** V8's `gc`. It is looked for when it is first needed: a context costs 10 ms of a thread's start. */
function collector(): Collect {
  if (!found) {
    // Stays on: flags are the whole process's, and a thread that took it back would take it from one that is just beginning.
    setFlagsFromString('--expose-gc');
    found = runInNewContext('gc') as Collect;
  }
  return found;
}

let bytes = 0;

/** Counts bytes that were received, and are garbage soon; scavenges, once the current request is served, when enough have come. */
export function countReceived(n: number): void {
  bytes += n;
  if (bytes < SCAVENGE_BYTES) return;
  bytes = 0;
  setImmediate(() => collector()({ type: 'minor' }));
}

function allocateAndForget(): number {
  return new ArrayBuffer(THRESHOLD_BLOCK).byteLength;
}

/**
 * Milliseconds after a burst at which its garbage is collected. The first time frees the buffers outside of V8's heap. V8 gives up
 * pages of its own (32 MB after 400 large requests) only once it sees that little is allocated; the second time is for these.
 */
const CALM_MS = [1000, 8000];

let isCollecting = false;

/** Collects what a burst of answers has left, some 5 ms each time: without new garbage V8 keeps the pages of the old. */
export function collectSoon(): void {
  if (isCollecting) return;
  isCollecting = true;
  for (const [i, delay] of CALM_MS.entries()) {
    setTimeout(() => {
      collector()();
      isCollecting = i < CALM_MS.length - 1;
    }, delay).unref();
  }
}

/** V8 reads it whenever a young generation would grow. */
function stopGrowth(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Keeps young generations as small as they are. Call once on the main thread, early: what has grown stays large. */
export function keepYoungSmall(): void {
  stopGrowth();
  // V8 takes it for a mistake, and back, when it makes a thread's heap.
  process.on('worker', (thread) => thread.once('online', stopGrowth));
}

/** Call once, when the start's own garbage is there to be collected as well. */
export function settleHeap(): void {
  allocateAndForget();
  collector()();
}
