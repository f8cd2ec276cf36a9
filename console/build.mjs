// Bundles the page into runtime/mien/console, or into the folder that is named: node build.mjs [FOLDER].
// The same sources give the same bytes: tests/console compares what is committed with what this builds.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const into = process.argv[2] ?? join(here, "..", "runtime", "mien", "console");

/** The schemas are for reading JSON by; their prose stays in docs/mqtt. */
const schemas = {
  name: "schemas",
  setup(builder) {
    builder.onLoad({ filter: /\.schema\.json$/ }, ({ path }) => ({
      loader: "json",
      contents: JSON.stringify(JSON.parse(readFileSync(path, "utf8")), (key, value) =>
        (key === "description" || key === "title") && typeof value === "string" ? undefined : value,
      ),
    }));
  },
};

/** The board's shaders as they are, but for their comments. */
const shaders = {
  name: "shaders",
  setup(builder) {
    builder.onLoad({ filter: /\.(vert|frag)$/ }, ({ path }) => ({
      loader: "text",
      contents: readFileSync(path, "utf8").replace(/[ \t]*\/\/.*$/gm, "").replace(/\n+/g, "\n"),
    }));
  },
};

mkdirSync(into, { recursive: true });
for (const name of readdirSync(into)) rmSync(join(into, name), { recursive: true });
const common = { bundle: true, minify: true, target: "es2022", charset: "utf8", legalComments: "none", logLevel: "warning" };
await build({
  ...common,
  absWorkingDir: here,
  entryPoints: { console: "src/main.ts", capture: "src/sound/capture.worklet.ts" },
  outdir: into,
  format: "iife",
  plugins: [schemas, shaders],
});
await build({ ...common, absWorkingDir: here, entryPoints: { console: "src/style.css" }, outdir: into });
for (const name of ["index.html", "icon.svg"]) copyFileSync(join(here, "src", name), join(into, name));
