#!/usr/bin/env bash
# Build the chat as an npm package, out of the same source; called by build_widget.sh, when the tools are there.
#   scripts/build_module.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../qa/widget"

out=$1
npx --no-install vite build --mode module --logLevel warn --outDir "$out"
npx --no-install tsc --project tsconfig.module.json --outDir "$out/types"
sed 's|"./public"|"./public.js"|' "$out/types/src/module.d.ts" >"$out/sourceline-chat.d.ts"
mv "$out/types/src/public.d.ts" "$out/public.d.ts"
rm -r "$out/types"
node - "$out" <<'JS'
const { readFileSync, writeFileSync } = require("node:fs");
const { name, version, license } = JSON.parse(readFileSync("package.json", "utf8"));
const exported = { types: "./sourceline-chat.d.ts", default: "./sourceline-chat.js" };
const made = { name, version, license, private: true, type: "module", exports: { ".": exported }, sideEffects: false };
writeFileSync(`${process.argv[2]}/package.json`, `${JSON.stringify(made, null, 2)}\n`);
JS
