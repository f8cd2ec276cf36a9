// Bundles the unit tests, as Node runs no TypeScript, and runs them: node run_tests.mjs [NAME...].
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const names = readdirSync(join(here, "tests")).filter((name) => name.endsWith(".test.ts") && (!wanted.length || wanted.some((each) => name.startsWith(each))));
const into = mkdtempSync(join(tmpdir(), "mien-console-tests-"));
try {
  await build({
    absWorkingDir: here,
    entryPoints: names.map((name) => `tests/${name}`),
    outdir: into,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    define: { REPOSITORY: JSON.stringify(join(here, "..")) },
    loader: { ".vert": "text", ".frag": "text" },
    logLevel: "warning",
  });
  const files = names.map((name) => join(into, name.replace(/\.ts$/, ".mjs")));
  process.exitCode = spawnSync(process.execPath, ["--test", "--test-reporter=dot", ...files], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(into, { recursive: true });
}
