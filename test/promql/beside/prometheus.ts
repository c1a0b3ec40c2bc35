/** Debian's Prometheus with samples of a test in it. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../support/directories.js';
import { freePort } from '../../support/ports.js';
import { finished, startProcess } from '../../support/processes.js';
import { until } from '../../support/wait.js';

export interface Prometheus {
  url: string;
  stop(): Promise<unknown>;
}

/** @param openMetrics all samples. */
export async function startPrometheus(openMetrics: string): Promise<Prometheus> {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'samples.txt'), openMetrics);
  writeFileSync(join(directory, 'prometheus.yml'), 'global: {scrape_interval: 1h}\n');
  const data = join(directory, 'data');
  const imported = await finished(
    startProcess('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(directory, 'samples.txt'), data]),
  );
  if (imported.status !== 0) throw new Error(`promtool could not import the samples:\n${imported.stderr}`);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = startProcess('prometheus', [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${data}`,
    '--storage.tsdb.retention.time=100y',
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await until(
    async () => {
      if (server.ended !== undefined) throw new Error(`prometheus ended:\n${server.log}`);
      return fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    () => `prometheus to be ready:\n${server.log}`,
  );
  return { url, stop: () => server.stop() };
}
