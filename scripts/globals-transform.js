/**
 * Lets two instances of the core take turns in one linear memory (src/wasm/turns.ts). All that the core keeps is in that memory
 * but its globals, of which each instance has its own. This step of the AssemblyScript compiler adds
 *
 *   saveGlobals(p)   writes every mutable global to p
 *   loadGlobals(p)   reads them back
 *   globalsSize      bytes that this takes, a multiple of 8
 *   `memory`         a custom section: the limits of the memory to be given, in pages, u32 each: initial, maximum
 *
 * Globals are found in the compiled module, so that a new `let` cannot be forgotten: each takes 8 bytes, in the module's order.
 */
import binaryen from 'assemblyscript/binaryen';
import { Transform } from 'assemblyscript/transform';

const SLOT = 8;
const ACCESS = new Map([
  [binaryen.i32, 'i32'],
  [binaryen.i64, 'i64'],
  [binaryen.f32, 'f32'],
  [binaryen.f64, 'f64'],
]);

/** The module's mutable globals, and how to load and store each. */
function mutableGlobals(module) {
  return Array.from({ length: module.getNumGlobals() }, (_, i) => binaryen.getGlobalInfo(module.getGlobalByIndex(i)))
    .filter(({ mutable }) => mutable)
    .map(({ name, type }) => {
      const access = ACCESS.get(type);
      if (!access) throw new Error(`global ${name}: its type can't be kept in a slot of ${SLOT} bytes`);
      return { name, type, access };
    });
}

export default class GlobalsTransform extends Transform {
  afterCompile(module) {
    const globals = mutableGlobals(module);
    // Addresses are i32; an alignment of 0 is the natural one.
    const pointer = () => module.local.get(0, binaryen.i32);
    const add = (name, instructions) => {
      module.addFunction(name, binaryen.i32, binaryen.none, [], module.block(null, instructions));
      module.addFunctionExport(name, name);
    };
    add(
      'saveGlobals',
      globals.map(({ name, type, access }, i) =>
        module[access].store(i * SLOT, 0, pointer(), module.global.get(name, type)),
      ),
    );
    add(
      'loadGlobals',
      globals.map(({ name, access }, i) => module.global.set(name, module[access].load(i * SLOT, 0, pointer()))),
    );
    module.addGlobal('globalsSize', binaryen.i32, false, module.i32.const(globals.length * SLOT));
    module.addGlobalExport('globalsSize', 'globalsSize');
    const { initialMemory, maximumMemory } = this.program.options;
    module.addCustomSection('memory', new Uint8Array(Uint32Array.of(initialMemory, maximumMemory).buffer));
  }
}
