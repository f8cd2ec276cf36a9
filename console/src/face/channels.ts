/** The channels of a pose, in the order of mien.core.pose.CHANNELS. A test compares both. */

const SHAPES = [
  "eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft",
  "eyeBlinkRight eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight eyeWideRight",
  "jawForward jawLeft jawRight jawOpen mouthClose mouthFunnel mouthPucker mouthLeft mouthRight",
  "mouthSmileLeft mouthSmileRight mouthFrownLeft mouthFrownRight mouthDimpleLeft mouthDimpleRight",
  "mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper",
  "mouthPressLeft mouthPressRight mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft mouthUpperUpRight",
  "browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft",
  "cheekSquintRight noseSneerLeft noseSneerRight tongueOut",
];

export const CHANNEL_NAMES: readonly string[] = [...SHAPES.join(" ").split(" "), "headPitch", "headYaw", "headRoll", "breath"];

export function channel(name: string): number {
  const index = CHANNEL_NAMES.indexOf(name);
  if (index < 0) throw new RangeError(`no channel ${name}`);
  return index;
}
