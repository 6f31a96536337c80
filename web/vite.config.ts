// Build settings. The result in dist/ is embedded by the Rust program and served from one origin,
// so there is no CDN and no foreign address; JICHENG_URL points the development proxy elsewhere.
import { defineConfig } from 'vitest/config';
import react from '@vitejs/plugin-react';

const server = process.env['JICHENG_URL'] ?? 'http://127.0.0.1:8080';
const proxy = { '/api': server, '/docs': server, '/sta': server, '/health': server };

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    chunkSizeWarningLimit: 1200,
    manifest: true,
  },
  server: { proxy },
  preview: { proxy },
  test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
});
