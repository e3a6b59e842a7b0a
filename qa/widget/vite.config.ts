import { defineConfig } from "vite";

// One classic script with its styles inside: what the service serves under a name that holds the hash of its content.
const browsers = ["chrome125", "firefox128", "safari18"];

export default defineConfig({
  publicDir: false,
  build: {
    target: browsers,
    cssTarget: browsers,
    outDir: "dist",
    emptyOutDir: true,
    modulePreload: false,
    reportCompressedSize: false,
    lib: { entry: "src/embed.ts", formats: ["iife"], name: "sourceline", fileName: () => "sourceline-chat.js" },
  },
});
