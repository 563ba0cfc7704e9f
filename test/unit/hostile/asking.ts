import { expect } from "vitest";
import { diskBytes } from "../support/held-disk.ts";
import { settle } from "../support/settle.ts";
import { HostileWorld } from "./hostile-world.ts";

/** What the servers of a world agree to, beside the least. */
export type Agreed = Parameters<HostileWorld["nextServer"]>[0];

/** A world, and what the honest client has asked in it, under which of its own cookies and of the server's. */
export interface Asking {
  readonly world: HostileWorld;
  readonly read: bigint;
  readonly write: bigint;
  readonly cookies: { readonly read: bigint; readonly write: bigint };
}

/** A world in which the honest client has asked for 8 bytes at 512 and written some at 0. */
export async function asking(agreed: Agreed = {}): Promise<Asking> {
  const world = await HostileWorld.open({}, agreed);
  const read = world.witness.read(512, 8);
  const write = world.witness.write(0, Buffer.from("written"));
  await settle();
  const cookies = world.server.requests.map(({ cookie }) => cookie);
  return { world, read, write, cookies: { read: cookies[0] ?? 0n, write: cookies[1] ?? 0n } };
}

/** The next server answers both requests, and the client, which is still there, has one right answer to each. */
export async function expectAnsweredElsewhere({ world, read, write }: Asking, agreed: Agreed = {}): Promise<void> {
  expect(world.witness.replies).toEqual([]);
  const next = await world.nextServer(agreed);
  expect(next.heard).toEqual(["1@0+7"]);
  await next.answer(0);
  await next.answer(1, 0, diskBytes(512, 8));
  expect(world.witness.replies).toEqual([
    { error: 0, cookie: write, data: Buffer.alloc(0) },
    { error: 0, cookie: read, data: diskBytes(512, 8) },
  ]);
  expect(world.witness.stream.destroyed).toBe(false);
  await world.expectServed();
}
