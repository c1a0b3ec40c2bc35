import { type Store, StoreError } from '../../src/store/store.js';

/** Notes what the jobs ask of it. */
export class JobStore implements Pick<Store, 'state' | 'checkpoint' | 'retain'> {
  state: Store['state'] = 'ready';
  retained: { to: number; except: Record<string, string[]> }[] = [];
  checkpoints = 0;
  atOnce = 0;
  mostAtOnce = 0;
  checkpointMs = 0;
  failing = false;

  async checkpoint(): Promise<void> {
    this.checkpoints++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    await new Promise((resolve) => setTimeout(resolve, this.checkpointMs));
    this.atOnce--;
    if (this.failing) throw new StoreError('LOG_FAILED', 'the disk is full');
  }

  async retain(to: number, except: ReadonlyMap<string, ReadonlySet<string>>): Promise<number> {
    if (this.failing) throw new StoreError('INTERNAL', 'a worker died');
    this.retained.push({ to, except: Object.fromEntries([...except].map(([name, hosts]) => [name, [...hosts]])) });
    return 7;
  }
}
