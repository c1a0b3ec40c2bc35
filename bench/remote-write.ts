/**
 * The load as Prometheus's remote write takes it (protobuf, snappy), for servers that do not read line protocol: the same samples
 * as the lines, with the labels that our server gives them.
 *
 *   WriteRequest  1: TimeSeries*        TimeSeries  1: Label*  2: Sample*        Label  1: name  2: value
 *   Sample        1: value, double      2: time, milliseconds, varint
 */
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { hostBodies } from './mix.js';

/** Steps in one request, which has all series of a host: half an hour, as Prometheus refuses what is an hour behind the others. */
const STEPS = 30;

interface RemoteSeries {
  labels: Buffer;
  samples: Buffer[];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A field of bytes. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | 2), varint(bytes.length), bytes]);
}

function label(name: string, value: string): Buffer {
  return field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))]));
}

/** @param key `metric,tag=value,...` */
function labelsOf(key: string): Buffer {
  const [metric = '', ...tags] = key.split(',');
  const pairs = tags.map((tag) => tag.replaceAll('-', '_').split('=', 2) as [string, string]);
  const sorted: [string, string][] = [['__name__', metric], ...pairs].sort(([a = ''], [b = '']) =>
    a < b ? -1 : 1,
  ) as [string, string][];
  return Buffer.concat(sorted.map(([name, value]) => label(name, value)));
}

function sample(value: number, seconds: number): Buffer {
  const double = Buffer.alloc(9);
  double[0] = (1 << 3) | 1;
  double.writeDoubleLE(value, 1);
  return field(2, Buffer.concat([double, Buffer.of(2 << 3), varint(seconds * 1000)]));
}

/** Adds the samples of a body of line protocol. */
function addLines(series: Map<string, RemoteSeries>, body: string): void {
  for (const line of body.split('\n')) {
    const [key = '', value = '', time = ''] = line.split(' ');
    if (key === '') continue;
    let one = series.get(key);
    if (one === undefined) {
      one = { labels: labelsOf(key), samples: [] };
      series.set(key, one);
    }
    // Integers end in `i`, which parseFloat leaves out.
    one.samples.push(sample(Number.parseFloat(value.slice('value='.length)), Number(time)));
  }
}

function requestOf(series: Map<string, RemoteSeries>): Uint8Array {
  const all = [...series.values()].map(({ labels, samples }) => field(1, Buffer.concat([labels, ...samples])));
  return snappyCompress(Buffer.concat(all));
}

export interface RemoteLoad {
  hosts: number;
  threads: number;
  steps: number;
  /** Seconds. */
  frequency: number;
  /** Unix seconds of the first step. */
  start: number;
}

/** Sends the load to the server at a URL. @throws when a request is refused */
export async function remoteWrite(url: string, load: RemoteLoad): Promise<void> {
  const bodies = Array.from({ length: load.hosts }, (_, host) => hostBodies(host, load.threads));
  for (let from = 0; from < load.steps; from += STEPS) {
    for (const body of bodies) {
      const series = new Map<string, RemoteSeries>();
      for (let step = from; step < Math.min(from + STEPS, load.steps); step++) {
        addLines(series, body(load.start + step * load.frequency));
      }
      const answer = await fetch(`${url}/api/v1/write`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/x-protobuf',
          'Content-Encoding': 'snappy',
          'X-Prometheus-Remote-Write-Version': '0.1.0',
        },
        body: requestOf(series) as Uint8Array<ArrayBuffer>,
      });
      if (!answer.ok) throw new Error(`${url} answered a remote write ${answer.status}: ${await answer.text()}`);
    }
  }
}
