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

/** Words by the names of their keys, in the order in which English has them. */
const wordsOf = (file) => JSON.parse(readFileSync(`languages/${file}`, "utf8"));
const keys = Object.keys(wordsOf("en.json"));

/** The script and its words travel together: both have numbers in place of the keys. (A bundle of the module may be older
 * than its service, and has the keys.) */
const numbered = {
  name: "numbered",
  enforce: "pre",
  transform(code, id) {
    if (!id.endsWith(".ts")) return null;
    const other = code.match(/\}\s*=\s*[\w.#]*\bstrings\b|\bstrings\s*\[/);
    if (other) throw new Error(`${id}: name each word as strings.key, not by "${other[0]}"`);
    return { code: code.replace(/(?<=\bstrings\.)\w+/g, (key) => `[${keys.indexOf(key)}]`).replaceAll("strings.[", "strings["), map: null };
  },
};

/** Properties between our own classes, which neither a page, nor the service, nor the browser knows: they get short names. */
const inner =
  /^(announce|around|askAbout|attach|base|begin|beginWith|beginning|beside|card|changed|chat|chip|chips|chosen|client|closed|composer|content|context|conversationTitle|current|dialog|doubt|earlier|element|emit|events|fail|finish|fit|fold|follow|followOns|forget|giveBack|given|goOn|heading|history|isEmpty|isOpen|isOver|labels|launch|launcher|locale|narrow|narrowed|needed|nodes|numbering|offer|opener|others|page|passedOn|problem|provider|questions|ranges|ready|remember|renew|resized|restore|retryAfter|run|said|setBusy|setOnline|shortAnswer|show|speech|stop|strings|suggestions|tokenUrl|tokens|told|turn|unit|widen|wouldQuote)$/;

/** Made smaller once more, and short names for our custom properties, but those that a page may set: they are in each rule. */
const shortened = {
  name: "shortened",
  async generateBundle(_, bundle) {
    const { code } = await minify(bundle[name].code, {
      ecma: 2022,
      compress: { passes: 4, hoist_funs: true, pure_getters: true, unsafe: true, unsafe_arrows: true, unsafe_methods: true },
      mangle: { properties: { regex: inner, builtins: true } },
    });
    const names = [...new Set(code.match(/--(?!sourceline)[a-z]{3}[a-z-]*(?=:)/g))].sort((one, other) => other.length - one.length);
    bundle[name].code = names.reduce((text, long, at) => text.replaceAll(new RegExp(`${long}(?![\\w-])`, "g"), `--_${String.fromCharCode(97 + at)}`), code);
  },
};

/** Script and words packed as they travel: as small as gzip can be, which takes seconds and is not done while serving. */
const packed = {
  name: "packed",
  async generateBundle(_, bundle) {
    const words = readdirSync("languages").map((file) => {
      const table = wordsOf(file);
      return [file.replace(".json", ".words.json"), JSON.stringify(keys.map((key) => table[key]))];
    });
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
    define: { __WORDS__: JSON.stringify(`${isModule ? "json" : "words.json"}?${wordsHash()}`) },
    plugins: isModule ? [] : [numbered, shortened, packed],
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
