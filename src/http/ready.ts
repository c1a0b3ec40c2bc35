import { type Store, StoreError } from '../store/store.js';

/** Throws LOADING or STOPPING before a request's body is read. */
export function requireReady(store: Pick<Store, 'state'>): void {
  if (store.state === 'loading')
    throw new StoreError('LOADING', 'the checkpoints are still being read, try again soon');
  if (store.state === 'stopping') throw new StoreError('STOPPING', 'the server is stopping');
}
