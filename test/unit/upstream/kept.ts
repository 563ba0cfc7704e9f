import type { Fragment } from "../../../src/durability/write-log.ts";
import { COMMAND } from "../../../src/protocol/constants.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { type KeptContent, LogMemory } from "../../../src/upstream/log-memory.ts";

/** A fragment of the log: a WRITE of this text, or another command of this length. */
export function fragment(start: number, what: string | { readonly command: number; readonly length: number }) {
  const length = typeof what === "string" ? what.length : what.length;
  const made: Fragment<KeptContent> = {
    start,
    end: start + length,
    command: typeof what === "string" ? COMMAND.WRITE : what.command,
    flags: 0,
    content: typeof what === "string" ? kept(what, Math.max(2, length / 8)) : undefined,
    contentStart: 0,
    number: 1,
    stable: false,
  };
  return made;
}

/** The bytes of slices, as text. */
export function textOf(slices: readonly Slice[]): string {
  return Buffer.concat(slices.map((slice) => slice.bytes())).toString("latin1");
}

/** Content of the log: a text, cut into slices of this length, each in a slab with something else around it. */
function kept(text: string, sliceBytes = text.length): KeptContent {
  const slices: Slice[] = [];
  for (let at = 0; at < text.length; at += sliceBytes) {
    const part = text.slice(at, at + sliceBytes);
    slices.push(new Slice(new Slab(Buffer.from(`<<${part}>>`, "latin1")), 2, 2 + part.length, 0));
  }
  return new LogMemory(new SlabPool({ slabBytes: 64, idleSlabs: 0 })).keep(slices);
}
