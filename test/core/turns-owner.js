// The owner of a partition in a thread of its own (turns.test.ts): stores the lines it is sent, answers how many it stored.
import { parentPort, workerData } from 'node:worker_threads';
import { Core } from '../../dist/wasm/instance.js';

const { module, shared, metrics } = workerData;
const core = new Core(module, metrics, 0, 1, shared);
core.logStartSegment();

parentPort.on('message', (text) => {
  const { stored, refused } = core.ingest(Buffer.from(text), 'c', 1, 0);
  // A checkpoint's step too: its cursor must outlive the other thread's turns.
  core.checkpointStep(0, 1024, false);
  core.logTaken();
  parentPort.postMessage({ stored, refused, bytes: core.linearMemory });
});
parentPort.postMessage('ready');
