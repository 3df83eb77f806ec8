// How the dashboard is built: into hashed files under assets/, with nothing inline, so that the page's
// Content-Security-Policy can forbid inline code. The server puts a fresh nonce in place of `__CSP_NONCE__`.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const gateway = process.env.HOOKYARD_URL ?? "http://127.0.0.1:8080";
const passed = ["/v1", "/session", "/in", "/openapi.json", "/docs", "/healthz", "/dev"];

export default defineConfig({
  plugins: [react()],
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    // Older targets make the minifier rewrite `light-dark()`, which the theme stands on.
    target: ["chrome123", "firefox128", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    sourcemap: false,
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(passed.map((path) => [path, { target: gateway, changeOrigin: false }])),
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    css: false,
  },
});
