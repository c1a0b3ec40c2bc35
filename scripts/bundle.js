// Bundles src/ into dist/: a file for each program and each thread, and what they share. A thread that reads its 90 modules one
// by one takes 0.1 s longer to start (docs/performance.md).
//
// All files lie beside each other, so that `new URL('./worker.js', import.meta.url)` finds the worker's bundle wherever
// it is written. Libraries are not bundled: their licences lie with them in node_modules/.
import { build } from 'rolldown';

await build({
  input: {
    // Programs.
    command: 'src/commands/command.ts',
    server: 'src/server.ts',
    export: 'src/commands/export.ts',
    inspect: 'src/commands/inspect.ts',
    'metrics-seen': 'src/commands/metrics-seen.ts',
    simulate: 'src/commands/simulate.ts',
    // Threads.
    worker: 'src/store/local/worker.ts',
    loader: 'src/store/load/loader.ts',
    'archive-worker': 'src/persistence/archive/job/archive-worker.ts',
  },
  platform: 'node',
  // Whatever is not named by a path.
  external: /^[^./]/,
  resolve: { extensionAlias: { '.js': ['.ts'] } },
  // Constants keep their names: who debugs or profiles the server finds them.
  optimization: { inlineConst: false },
  logLevel: 'warn',
  output: { dir: 'dist', sourcemap: true, entryFileNames: '[name].js', chunkFileNames: 'chunk-[name].js' },
});
