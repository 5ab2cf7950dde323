// How is the page built, served while it is worked on, and tested?
import { fileURLToPath } from "node:url";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { firstLoad } from "./build/first-load.ts";
import { renderBlocking } from "./build/render-blocking.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
// Where `tools/web dev` finds an API: that of `make run`, unless told otherwise.
const apiUrl = process.env["DEV_API_URL"] ?? "http://127.0.0.1:8000";
// The edge takes changes from its own pages only: to it, this is one.
const api = { target: apiUrl, changeOrigin: true, headers: { origin: apiUrl } };

export default defineConfig({
  plugins: [react(), tailwindcss(), renderBlocking(), firstLoad({ largest: 250_000 })],
  resolve: {
    alias: {
      "@": path("./src"),
      // Radix locks scrolling by an inline style sheet, which our Content-Security-Policy refuses.
      "react-remove-scroll": path("./src/components/radix/remove-scroll.tsx"),
    },
  },
  build: {
    outDir: path("../services/edge/app"),
    emptyOutDir: true,
    assetsDir: "app",
    // A data: URL is not 'self', and a style sheet for each chunk is a flash for each.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    target: ["chrome111", "edge111", "firefox128", "safari16.4"],
    reportCompressedSize: false,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": api, "/mediagen.v1.": api, "/docs": api, "/redoc": api, "/assets": api },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}", "build/**/*.test.ts"],
    setupFiles: ["src/testing/setup.ts"],
    restoreMocks: true,
    css: false,
  },
});
