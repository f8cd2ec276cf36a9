/** Topics of a fleet, as mien.fleet.topics has them. */

export const ROLES = ["observer", "agent", "operator"] as const;
export type Role = (typeof ROLES)[number];
export const STREAMS = ["pose", "caption", "heard", "ear"] as const;
export type Stream = (typeof STREAMS)[number];

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

export interface Place {
  readonly site: string;
  readonly board: string;
}

/** What a board reports: the rest of its topic, such as "status" or "live/pose". */
export interface Report extends Place {
  readonly kind: string;
}

export function isName(text: string): boolean {
  return NAME.test(text);
}

/** "SITE/BOARD", the key of a board everywhere in the page. */
export function keyOf(place: Place): string {
  return `${place.site}/${place.board}`;
}

/** The place of a key, or null for a text that is none. */
export function placeOf(key: string): Place | null {
  const [site, board, ...rest] = key.split("/");
  return site && board && rest.length === 0 && isName(site) && isName(board) ? { site, board } : null;
}

export function boardTopic(place: Place, rest: string): string {
  return `mien/1/${place.site}/${place.board}/${rest}`;
}

/** The board and kind of a report, or null for any other topic. */
export function parseReport(topic: string): Report | null {
  if (topic.length > 120) return null;
  const levels = topic.split("/");
  const [root, version, site, board] = levels;
  if (levels.length < 5 || root !== "mien" || version !== "1") return null;
  if (!site || !board || !isName(site) || !isName(board)) return null;
  return { site, board, kind: levels.slice(4).join("/") };
}
