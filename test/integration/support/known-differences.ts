import type { ClientPlace } from "./client-programs.ts";

/** Something that is not the same through the proxy, and is not meant to be. */
export interface Difference {
  readonly reason: string;
  /** The servers and the client programs that show it, by their names; all when absent. */
  readonly servers?: RegExp;
  readonly programs?: RegExp;
  /** What a program says before the server itself, */
  readonly direct: RegExp;
  /** and what it says there before the proxy; `$1` and so on as in `String.replace`. */
  readonly proxied: string;
}

/** Something that is not the same in any two runs, with the word that stands for it. */
interface Varying {
  readonly reason: string;
  readonly found: (place: ClientPlace) => RegExp | string;
  readonly word: string;
}

/** What says nothing of the disk, before whomever it is said. */
const VARYING: readonly Varying[] = [
  {
    reason: "The socket is another one",
    found: ({ uri }) => new URL(uri).searchParams.get("socket") ?? uri,
    word: "SOCKET",
  },
  {
    reason: "qemu-io says how long it took",
    found: () => /(?<= ops; ).+ sec \(.+ ops\/sec\)/g,
    word: "TIME",
  },
];

/** All differences that are wanted. A test sees to it that none is listed in vain. */
export const DIFFERENCES: readonly Difference[] = [];

/** Takes out what is not the same in any two runs. */
export function withoutVarying(text: string, place: ClientPlace): string {
  let left = text;
  for (const { found, word } of VARYING) left = left.replaceAll(found(place), word);
  return left;
}

/** What a program should say before the proxy, made of what it says before the server. Adds what made a difference to `used`. */
export function asProxied(direct: string, server: string, program: string, used: Set<Difference>): string {
  let text = direct;
  for (const difference of DIFFERENCES) {
    const { servers, programs } = difference;
    if (servers?.test(server) === false || programs?.test(program) === false) continue;
    const changed = text.replaceAll(difference.direct, difference.proxied);
    if (changed !== text) used.add(difference);
    text = changed;
  }
  return text;
}
