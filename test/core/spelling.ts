/** One sample, spelled in one of the many ways in which clients may write it. */
import type { Sample } from './model.js';

type Random = () => number;

/** Splits a level's name into type and id, as `name` + number. */
const LEVEL = /^(.*?)([\d:.]*)$/;

function escaped(name: string): string {
  return name.replace(/[ ,=\\]/g, '\\$&');
}

export function pick<T>(random: Random, list: readonly T[]): T {
  if (!list.length) throw new Error('nothing to choose from');
  return list[Math.floor(random() * list.length)] as T;
}

function shuffle<T>(random: Random, list: T[]): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [list[i], list[j]];
    if (a !== undefined && b !== undefined) [list[i], list[j]] = [b, a];
  }
  return list;
}

function spellValue(random: Random, value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  if (!Number.isSafeInteger(value) || Object.is(value, -0) || random() < 0.5) return text;
  return value >= 0 && random() < 0.3 ? `${text}u` : `${text}i`;
}

function spellTime(random: Random, seconds: number): string {
  const r = random();
  if (r < 0.7) return String(seconds);
  const fraction = Math.floor(random() * 1e9)
    .toString()
    .padStart(9, '0');
  return `${seconds}${fraction.slice(0, r < 0.8 ? 3 : r < 0.9 ? 6 : 9)}`;
}

/** @param standing the same spelling as always: what a collector does. @param cluster that the request names. */
export function spell(random: Random, sample: Sample, standing: boolean, cluster: string): string {
  const [own = '', host = '', level, sublevel] = sample.levels;
  const tags: [string, string][] = [];
  if (own !== cluster || standing || random() < 0.5) tags.push(['cluster', own]);
  tags.push([standing || random() < 0.8 ? 'hostname' : 'host', host]);
  if (level !== undefined) {
    const [, type = '', id = ''] = LEVEL.exec(level) ?? [];
    tags.push(['type', type]);
    if (id) tags.push(['type-id', id]);
  } else if (standing || random() < 0.5) {
    tags.push(['type', 'node']);
    if (!standing && random() < 0.3) tags.push(['type-id', '7'], ['stype', 'net'], ['stype-id', 'eth0']);
  }
  if (sublevel !== undefined) {
    const [, type = '', id = ''] = LEVEL.exec(sublevel) ?? [];
    tags.push(['stype', type]);
    if (id) tags.push(['stype-id', id]);
  }
  const time = standing ? String(sample.time) : spellTime(random, sample.time);
  if (standing) {
    const text = tags.map(([key, value]) => `,${key}=${escaped(value)}`).join('');
    return `${escaped(sample.metric)}${text} value=${spellValue(() => 1, sample.value)} ${time}\n`;
  }
  if (random() < 0.5) tags.push(['unit', pick(random, ['GB/s', 'a b', 'x=y', '%'])]);
  shuffle(random, tags);
  if (random() < 0.1) tags.unshift([pick(random, ['hostname', 'cluster', 'type', 'type-id']), 'wrong']);
  // A wrong value in front only goes unseen when the right one follows.
  const names = tags.map(([key]) => key);
  const first = names[0] ?? '';
  if (tags[0]?.[1] === 'wrong' && names.lastIndexOf(first) === 0) tags.shift();
  if (random() < 0.2) tags.push(['cluster', own]);
  const text = tags.map(([key, value]) => `,${key}=${escaped(value)}`).join('');
  const gap = random() < 0.1 ? '  ' : ' ';
  const end = pick(random, ['\n', '\n', '\n', '\r\n', ' \n', '\n\n', '\n# "comment\n']);
  return `${escaped(sample.metric)}${text}${gap}value=${spellValue(random, sample.value)}${gap}${time}${end}`;
}
