import { type Store, StoreError } from '../store/store.js';

/** Throws STOPPING before a request's body is read, for what may be asked while a part of the store is loaded. */
export function requireRunning(store: Pick<Store, 'state'>): void {
  if (store.state === 'stopping') throw new StoreError('STOPPING', 'the server is stopping');
}

/** Throws LOADING or STOPPING before a request's body is read. */
export function requireReady(store: Pick<Store, 'state' | 'secondsToReady'>): void {
  requireRunning(store);
  if (store.state === 'ready') return;
  const retryAfter = store.secondsToReady;
  throw new StoreError('LOADING', `the checkpoints are still being read, about ${retryAfter} s more`, { retryAfter });
}
