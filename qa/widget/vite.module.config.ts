import { defineConfig } from "vite";

// The same source as an ES module; what needs a page is a file of its own, loaded where there is one.
const browsers = ["chrome125", "firefox128", "safari18"];

export default defineConfig({
  publicDir: false,
  build: {
    target: browsers,
    cssTarget: browsers,
    outDir: "npm",
    emptyOutDir: true,
    modulePreload: false,
    reportCompressedSize: false,
    lib: { entry: "src/module.ts", formats: ["es"], fileName: () => "sourceline-chat.js" },
    rolldownOptions: { output: { chunkFileNames: "chat.js" } },
  },
});
