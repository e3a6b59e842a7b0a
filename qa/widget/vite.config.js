// Out of one source: the classic script with its styles inside, which the service serves under a name that holds the hash of
// its content, and (--mode module) an ES module, in which what needs a page is a file of its own, loaded where there is one.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { gzipAsync } from "@gfx/zopfli";
import { minify } from "terser";
import { defineConfig } from "vite";

const browsers = ["chrome125", "firefox140", "safari18"];
const name = "sourceline-chat.js";

/** Hash of all language files: under it their addresses change with their content. */
function wordsHash() {
  const hash = createHash("sha256");
  for (const file of readdirSync("languages").sort()) hash.update(readFileSync(`languages/${file}`));
  return hash.digest("hex").slice(0, 12);
}

/** Properties between our own classes, which neither a page, nor the service, nor the browser knows: they get short names. */
const inner =
  /^(announce|around|attach|beginWith|beginning|beside|chips|client|composer|context|conversationTitle|dialog|doubt|emit|events|fold|followOns|giveBack|history|isEmpty|isOpen|isOver|labels|launch|level|narrow|narrowed|numbering|offer|others|passedOn|questions|ranges|remember|renew|resized|restore|retryAfter|setBusy|setOnline|shortAnswer|strings|suggestions|tokenUrl|tokens|told|unit|widen|wouldQuote)$/;

/** Made smaller once more, and short names for our custom properties, but those that a page may set: they are in each rule. */
const shortened = {
  name: "shortened",
  async generateBundle(_, bundle) {
    const taken = Object.keys(JSON.parse(readFileSync("languages/en.json", "utf8"))).filter((key) => inner.test(key));
    if (taken.length) throw new Error(`a key of the language files cannot be shortened: ${taken.join(", ")}`);
    const { code } = await minify(bundle[name].code, {
      ecma: 2022,
      compress: { passes: 4, hoist_funs: true, pure_getters: true, unsafe: true, unsafe_arrows: true, unsafe_methods: true },
      mangle: { properties: { regex: inner } },
    });
    const names = [...new Set(code.match(/--(?!sourceline)[a-z]{3}[a-z-]*(?=:)/g))].sort((one, other) => other.length - one.length);
    bundle[name].code = names.reduce((text, long, at) => text.replaceAll(new RegExp(`${long}(?![\\w-])`, "g"), `--_${String.fromCharCode(97 + at)}`), code);
  },
};

/** Script and words packed as they travel: as small as gzip can be, which takes seconds and is not done while serving. */
const packed = {
  name: "packed",
  async generateBundle(_, bundle) {
    const words = readdirSync("languages").map((file) => [file, JSON.stringify(JSON.parse(readFileSync(`languages/${file}`, "utf8")))]);
    for (const [file, text] of [[name, bundle[name].code], ...words]) {
      const source = await gzipAsync(new TextEncoder().encode(text), { numiterations: 60 });
      this.emitFile({ type: "asset", fileName: `${file}.gz`, source });
    }
  },
};

export default defineConfig(({ mode }) => {
  const isModule = mode === "module";
  const lib = isModule ? { entry: "src/module.ts", formats: ["es"] } : { entry: "src/embed.ts", formats: ["iife"], name: "sourceline" };
  return {
    publicDir: false,
    define: { __WORDS__: JSON.stringify(wordsHash()) },
    plugins: isModule ? [] : [shortened, packed],
    build: {
      target: browsers,
      cssTarget: browsers,
      outDir: isModule ? "npm" : "dist",
      emptyOutDir: true,
      modulePreload: false,
      reportCompressedSize: false,
      lib: { ...lib, fileName: () => name },
      // Packing takes seconds, as it should.
      rolldownOptions: { checks: { pluginTimings: false }, output: isModule ? { chunkFileNames: "chat.js" } : {} },
    },
  };
});
