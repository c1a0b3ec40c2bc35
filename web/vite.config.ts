import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { precompress } from './precompress.js';

/** Where `npm run webdev` finds a running server. */
const SERVER = process.env.CCMS_URL ?? 'http://localhost:8082';

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page works below any path of a reverse proxy.
  base: './',
  plugins: [svelte({ configFile: false }), precompress()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari17.5'],
    // The server's policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': SERVER, '/healthz': SERVER, '/metrics': SERVER } },
});
