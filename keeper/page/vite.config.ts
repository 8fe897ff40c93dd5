import { defineConfig } from 'vite'

// The output is committed and embedded in a keeper's binary: the same source makes the same bytes.
export default defineConfig({
  resolve: {
    conditions: ['source', 'module', 'browser', 'development|production'],
    // The client's own copy, where it is installed, is for its tests: the page ships one viem.
    dedupe: ['viem'],
  },
  // Tests take the client's source too, so that nothing has to be built before them.
  ssr: { resolve: { conditions: ['source', 'module', 'node', 'development|production'] } },
  build: {
    target: 'es2022',
    sourcemap: false,
    // Nothing inline: the keeper's content security policy allows files of its own only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:8787', '/evidence': 'http://127.0.0.1:8787' } },
})
