import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { coreModule } from '../support/core-driver.js';

/** The part of the WebAssembly API that src/webassembly.d.ts has no use for. */
const Module = WebAssembly.Module as unknown as {
  exports(module: WebAssembly.Module): { name: string; kind: string }[];
  imports(module: WebAssembly.Module): { module: string; name: string; kind: string }[];
};

/** Members of the interface that src/wasm calls the module by: name and kind. */
function declared(): Map<string, 'function' | 'global' | 'memory'> {
  const text = readFileSync(join(import.meta.dirname, '../../src/wasm/exports.ts'), 'utf8');
  const body = /interface Exports [^{]*\{([\s\S]*?)\n\}/.exec(text)?.[1] ?? '';
  const members = new Map<string, 'function' | 'global' | 'memory'>();
  for (const [, name = '', rest = ''] of body.matchAll(/^ {2}(\w+)(\(|: WebAssembly\.\w+)/gm)) {
    members.set(name, rest === '(' ? 'function' : rest.endsWith('Memory') ? 'memory' : 'global');
  }
  return members;
}

describe('the exports of the core', () => {
  for (const name of ['core.wasm', 'core.debug.wasm']) {
    it(`${name}: are those that the host knows, no more and no fewer`, () => {
      const exported = Module.exports(coreModule(name)).map(({ name: own, kind }): [string, string] => [own, kind]);
      expect(new Map(exported)).toEqual(declared());
      expect(declared().size).toBeGreaterThan(60);
    });

    it(`${name}: need nothing but a way to stop`, () => {
      expect(Module.imports(coreModule(name))).toEqual([{ module: 'env', name: 'abort', kind: 'function' }]);
    });
  }
});
