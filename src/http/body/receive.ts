import type { FieldMode, Precision, WriteOutcome } from '../../store/store.js';
import type { Exchange } from '../exchange.js';
import { requireRunning } from '../ready.js';
import type { HttpContext } from '../route.js';
import { readBody } from './body.js';

/** Reads a body of line protocol and stores it. Rejects without having stored anything. */
export async function receiveLines(
  exchange: Exchange,
  context: HttpContext,
  cluster: string,
  precision: Precision,
  fields: FieldMode = 'value',
): Promise<WriteOutcome> {
  // Asked for now: a socket that is closed has no address any more.
  const { remoteAddress } = exchange.incoming.socket;
  try {
    const outcome = await storeLines(exchange, context, cluster, precision, fields);
    context.writers.wrote(remoteAddress, outcome);
    return outcome;
  } catch (error) {
    context.writers.failed(remoteAddress, error);
    throw error;
  }
}

async function storeLines(
  exchange: Exchange,
  { store, config, budget }: HttpContext,
  cluster: string,
  precision: Precision,
  fields: FieldMode,
): Promise<WriteOutcome> {
  requireRunning(store);
  const take = (bytes: number): ArrayBuffer => store.takeBuffer(bytes);
  const body = await readBody(exchange, config.store.maxBodySize, take, budget, 'metric-store.max-body-size');
  if (body.length === 0) return { stored: 0, skipped: 0, refused: 0, refusals: [] };
  return store.write(body.buffer, body.length, cluster, precision, { fields });
}
