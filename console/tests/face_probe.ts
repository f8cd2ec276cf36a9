/** Draws poses for tests/console/browser: the page's renderer without the page. */

import { readBaked } from "../src/face/baked.ts";
import { FaceRenderer } from "../src/face/renderer.ts";

declare global {
  interface Window {
    probe: (avatar: string, width: number, height: number, poses: number[][], presence: number) => Promise<string[]>;
  }
}

/** A PNG as a data URL of each pose. */
window.probe = async (avatar, width, height, poses, presence) => {
  const mesh = await readBaked(await (await fetch(avatar)).arrayBuffer());
  const canvas = document.createElement("canvas");
  const renderer = new FaceRenderer(canvas, mesh);
  renderer.resize(width, height);
  renderer.setPresence(presence);
  const drawn = poses.map((pose) => {
    renderer.draw(Float32Array.from(pose));
    return canvas.toDataURL("image/png");
  });
  renderer.close();
  return drawn;
};
