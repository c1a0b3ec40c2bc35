/** What both sides of the boundary know stands once, in src/wasm/tables: codes.ts, codecs.ts and layouts.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as codecs from '../../src/wasm/tables/codecs.js';
import * as codes from '../../src/wasm/tables/codes.js';
import * as layouts from '../../src/wasm/tables/layouts.js';

const TABLES = ['src/wasm/tables/codes.ts', 'src/wasm/tables/codecs.ts', 'src/wasm/tables/layouts.ts'];
/** What the tables export: numbers, and enums by their members. */
const exported = Object.entries({ ...codes, ...codecs, ...layouts });

function valuesOf(value: unknown): [member: string, value: number][] {
  if (typeof value === 'number') return [['', value]];
  return Object.entries(value as object).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
}

/** Path and text of all sources below some folders, but the tables. */
function sources(...folders: string[]): Map<string, string> {
  const paths = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const wanted = paths.filter((path) => path.endsWith('.ts') && !TABLES.includes(path));
  return new Map(wanted.map((path) => [path, readFileSync(path, 'utf8')]));
}

/** HAS_TYPE and HasType are the same name; that of a constant begins with a capital. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** Values that are nothing but themselves: the layout of a magic word or a table's size, never a count by chance. */
const distinct = new Map(
  exported.flatMap(([name, value]) =>
    valuesOf(value).flatMap(([member, v]): [number, string][] => (Math.abs(v) > 999 ? [[v, `${name}.${member}`]] : [])),
  ),
);
const names = new Map(exported.map(([name]) => [plain(name), name]));
for (const [name, value] of exported) {
  for (const [member] of valuesOf(value)) if (member) names.set(plain(name + member), `${name}.${member}`);
}

/** A constant that is a number, or a type of constants. */
const DECLARATION = /\b(?:const|let)\s+([A-Z]\w*)(?:: \w+)?\s*=\s*[-\d(]|\b(?:enum|namespace)\s+([A-Z]\w*)/g;

/** Places that write a number of the tables again. */
function writtenAgain(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [path, text] of files) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    for (const [, constant, type] of code.matchAll(DECLARATION)) {
      const name = constant ?? type ?? '';
      const known = names.get(plain(name));
      if (known) found.push(`${path}: ${name} is ${known}`);
    }
    for (const [literal] of code.matchAll(/\b(?:0x[\da-f_]+|\d[\d_]*)\b/gi)) {
      const known = distinct.get(Number(literal.replaceAll('_', '')));
      if (known) found.push(`${path}: ${literal} is ${known}`);
    }
  }
  return found;
}

/** Places of the binding that read or write at an offset, or compare a result with a code, that has no name. */
function unnamed(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [path, text] of files) {
    const access = /\.[gs]et(?:Ui|I|Bi|Fl)\w+\([^,()]*\+ ?\d+ ?[,)]/g;
    for (const [place] of text.matchAll(access)) found.push(`${path}: ${place}`);
    for (const [place] of text.matchAll(/[=!]== -?[1-9]\d*\b/g)) found.push(`${path}: ${place}`);
  }
  return found;
}

const core = sources('assembly');
const host = sources('src');
const tests = new Map([...sources('test')].filter(([path]) => !path.endsWith('codes.test.ts')));
const binding = new Map([...host].filter(([path]) => path.startsWith('src/wasm/')));

describe('a number that core and host know', () => {
  it.each(exported.map(([name]) => name))('%s is known to both', (name) => {
    const mentions = (files: ReadonlyMap<string, string>): boolean =>
      [...files.values()].some((text) => new RegExp(`\\b${name}\\b`).test(text));
    expect({ core: mentions(core), host: mentions(host) || mentions(tests) }).toEqual({ core: true, host: true });
  });

  it('is not written a second time', () => {
    expect(writtenAgain(new Map([...core, ...host]))).toEqual([]);
  });

  it('is called by its name where the host reads memory or looks at a result', () => {
    expect(unnamed(binding)).toEqual([]);
  });

  it('is an offset that the core compares with its own structure when it is compiled', () => {
    const text = [...core.values()].filter((one) => one.includes('ERROR(')).join('\n');
    const layouts = exported.filter(([name]) => /(Field|Part)$/.test(name));
    expect(layouts.length).toBeGreaterThan(4);
    const fields = layouts.flatMap(([name, value]) => valuesOf(value).map(([member]) => `${name}.${member}`));
    expect(fields.filter((field) => !new RegExp(`!= ${field}\\b`).test(text))).toEqual([]);
  });
});

describe('the check', () => {
  it('finds a number that is written a second time', () => {
    const planted = new Map([
      ['a.ts', 'const HAS_TYPE = 1;\nexport namespace RunField {}\nconst FRAME_FIELD_CRC: usize = 8;'],
      ['b.ts', 'if (load<u32>(p) == 0x424D4343) return; // 5632'],
      ['c.ts', 'const size = 4 * 2 * 5632;'],
    ]);
    expect(writtenAgain(planted)).toEqual([
      'a.ts: RunField is RunField',
      'a.ts: FRAME_FIELD_CRC is FrameField.Crc',
      'b.ts: 0x424D4343 is FrameMagic.Log',
      'c.ts: 5632 is AgeHistogram.Half',
    ]);
  });

  it('finds an offset and a result without a name', () => {
    const planted = new Map([['a.ts', 'words.getUint32(p + 16, true);\nif (result === -2) throw outOfMemory();']]);
    expect(unnamed(planted)).toEqual(['a.ts: .getUint32(p + 16,', 'a.ts: === -2']);
  });
});
