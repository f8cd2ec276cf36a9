/** The languages: the same keys, the same places to fill in, nothing left in English by mistake. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { de } from "../src/text/de.ts";
import { en } from "../src/text/en.ts";
import { es } from "../src/text/es.ts";

type Tree = { readonly [name: string]: string | Tree };

function flat(tree: Tree, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(tree)) {
    if (typeof value === "string") found.set(path + name, value);
    else for (const [key, text] of flat(value, `${path}${name}.`)) found.set(key, text);
  }
  return found;
}

const slots = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map((match) => match[0]).sort();

for (const [code, language] of [["de", de], ["es", es]] as const) {
  test(`${code} has the keys and slots of en`, () => {
    const [own, english] = [flat(language), flat(en)];
    assert.deepEqual([...own.keys()].sort(), [...english.keys()].sort());
    for (const [key, text] of english) assert.deepEqual(slots(own.get(key)!), slots(text), key);
  });

  test(`${code} is translated: no long text is the same as in English`, () => {
    for (const [key, text] of flat(en)) {
      const words = text.replace(/\{\w+\}/g, "").trim();
      if (/\w\s+\w/.test(words)) assert.notEqual(flat(language).get(key), text, key);
    }
  });
}
