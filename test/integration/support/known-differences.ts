import type { ClientPlace } from "./client-programs.ts";

/** Something that is not the same through the proxy, and is not meant to be. */
export interface Difference {
  readonly reason: string;
  /** The servers and the client programs that show it, by their names; all when absent. */
  readonly servers?: RegExp;
  readonly programs?: RegExp;
  /** What a program says before the server itself, everywhere; */
  readonly direct: RegExp;
  /** and what it says there before the proxy, with `$1` and so on as in `String.replaceAll`. */
  readonly proxied: string;
}

/** Something that is not the same in any two runs, with what stands for it. */
interface Varying {
  readonly reason: string;
  /** It is the same, unless the server behind the proxy was lost meanwhile. */
  readonly afterLoss?: true;
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
  {
    reason: "A range with a pin on it is read from the log: a chunk is cut at its borders, and zeros are a hole",
    afterLoss: true,
    found: () => /((data|hole) \d+\+\d+; )+/g,
    word: "",
  },
];

/** All differences that are wanted. A test sees to it that none is listed in vain. */
export const DIFFERENCES: readonly Difference[] = [
  {
    reason: "A server may keep its block sizes to itself; the proxy tells what the text says they are then",
    servers: /^nbdkit( of memory)?$/,
    programs: /^nbdinfo( --list)?$/,
    direct: /\tcan_zero: true\n/g,
    proxied: "$&\tblock_size_minimum: 1\n\tblock_size_preferred: 4096\n\tblock_size_maximum: 33554432\n",
  },
  {
    reason: "The same in JSON",
    servers: /^nbdkit( of memory)?$/,
    programs: /^nbdinfo.* --json$/,
    direct: /\t"can_zero": true,\n/g,
    proxied: '$&\t"block_size_minimum": 1,\n\t"block_size_preferred": 4096,\n\t"block_size_maximum": 33554432,\n',
  },
  {
    reason: "The same for libnbd",
    servers: /^nbdkit( of memory)?$/,
    programs: /^nbdsh$/,
    direct: /block MINIMUM 0\nblock PREFERRED 0\nblock MAXIMUM 0\n/g,
    proxied: "block MINIMUM 1\nblock PREFERRED 4096\nblock MAXIMUM 33554432\n",
  },
  {
    reason: "What makes no sense is refused by the proxy itself, with the same error, but without qemu-nbd's words",
    servers: /^qemu-nbd/,
    programs: /^nbdsh$/,
    direct:
      / structured error server message: (unsupported flags for command|operation past EOF;|need non-zero length).*/g,
    proxied: "",
  },
  {
    reason: "qemu-nbd answers EINVAL to what is written past the end; the proxy answers ENOSPC, as the text wants it",
    servers: /^qemu-nbd/,
    programs: /^nbdsh$/,
    direct:
      /(?<=^(pwrite|zero) (beyond the end|behind the end|far away|where nothing can be): )EINVAL, (.+): Invalid argument$/gm,
    proxied: "ENOSPC, $3: No space left on device",
  },
];

/** Takes out what is not the same in any two runs, or, `afterLoss`, when the server behind the proxy was lost meanwhile. */
export function withoutVarying(text: string, place: ClientPlace, afterLoss: boolean): string {
  let left = text;
  for (const varying of VARYING) {
    if (afterLoss || varying.afterLoss !== true) left = left.replaceAll(varying.found(place), varying.word);
  }
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
