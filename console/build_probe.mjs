// Bundles tests/face_probe.ts for the browser tests: node build_probe.mjs FILE.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

await build({
  absWorkingDir: dirname(fileURLToPath(import.meta.url)),
  entryPoints: ["tests/face_probe.ts"],
  outfile: process.argv[2],
  bundle: true,
  target: "es2022",
  loader: { ".vert": "text", ".frag": "text" },
  logLevel: "warning",
});
