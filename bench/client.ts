/** The generator's process, seen from the bench. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job, JobResult } from './generator.js';

export class Generator {
  private readonly child: ChildProcess;

  constructor() {
    const script = fileURLToPath(new URL('./generator.js', import.meta.url));
    this.child = fork(script, { serialization: 'advanced', execArgv: ['--max-old-space-size=4096'] });
  }

  /** Runs one job; only one at a time. @throws when a request fails or is not answered 200 */
  run(job: Job): Promise<JobResult> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      const exited = (): void => reject(new Error('the load generator exited'));
      child.once('exit', exited);
      child.once('message', (message: { result: JobResult } | { error: string }) => {
        child.off('exit', exited);
        if ('error' in message) reject(new Error(message.error));
        else resolve(message.result);
      });
      child.send(job);
    });
  }

  close(): void {
    this.child.kill();
  }
}
