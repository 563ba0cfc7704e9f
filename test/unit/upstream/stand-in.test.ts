import { describe, expect, it } from "vitest";

import { COMMAND, COMMAND_FLAG, PORTABLE_PAYLOAD_BYTES, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { needsFlush, type Offer, standInSteps } from "../../../src/upstream/stand-in.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { request } from "./requests.ts";

const { DF, FUA, NO_HOLE, FAST_ZERO, REQ_ONE } = COMMAND_FLAG;
const F = TRANSMISSION_FLAG;
const MIB = 1024 * 1024;

const offer = (flags: number): Offer => ({ flags, maximumPayloadBytes: PORTABLE_PAYLOAD_BYTES });

/** The steps as text: `WRITE 1 at 4096+512`, flags in the middle. */
function steps(
  asked: Parameters<typeof request>[0],
  flags: number,
  maximumPayloadBytes = PORTABLE_PAYLOAD_BYTES,
): string[] | undefined {
  const names = Object.entries(COMMAND);
  const found = standInSteps(request(asked), { flags, maximumPayloadBytes });
  if (found === undefined) return undefined;
  return [...found].map(({ command, flags, offset, length, payload, room }) => {
    expect(room).toBeUndefined();
    const bytes = payload.reduce((sum, slice) => sum + slice.length, 0);
    expect(bytes).toBe(command === COMMAND.WRITE ? length : 0);
    return `${names.find(([, number]) => number === command)?.[0]} ${flags} at ${offset}+${length}`;
  });
}

describe("standInSteps", () => {
  it.each([
    request(),
    request({ text: "x", flags: FUA }),
    request({ command: COMMAND.FLUSH }),
    request({ command: COMMAND.TRIM, flags: FUA }),
    request({ command: COMMAND.CACHE }),
    request({ command: COMMAND.WRITE_ZEROES, flags: FUA | NO_HOLE | FAST_ZERO }),
  ])("has nothing to stand in for when the server understands command $command", (asked) => {
    expect(standInSteps(asked, offer(ALL_FLAGS))).toBeUndefined();
  });

  it("needs nothing of a server for READ and WRITE without flags", () => {
    expect(steps({}, F.HAS_FLAGS)).toBeUndefined();
    expect(steps({ text: "x" }, F.HAS_FLAGS)).toBeUndefined();
  });

  it("drops FUA where that is gone", () => {
    const offered = ALL_FLAGS & ~F.SEND_FUA;
    expect(steps({ text: "abc", offset: 5, flags: FUA }, offered)).toEqual(["WRITE 0 at 5+3"]);
    const zeroes = { command: COMMAND.WRITE_ZEROES, flags: FUA | NO_HOLE, offset: 8, length: 16 };
    expect(steps(zeroes, offered)).toEqual(["WRITE_ZEROES 2 at 8+16"]);
    expect(steps({ command: COMMAND.TRIM, flags: FUA, length: 9 }, offered)).toEqual(["TRIM 0 at 0+9"]);
    expect(steps({ flags: FUA, length: 9 }, offered)).toEqual(["READ 0 at 0+9"]);
  });

  it("keeps the payload itself, with its room for a header", () => {
    const asked = request({ text: "abc", flags: FUA });
    const [write] = [...(standInSteps(asked, offer(F.SEND_FLUSH)) ?? [])];
    expect(write?.payload).toBe(asked.payload);
    expect(write?.payload[0]?.headroomBytes).toBe(28);
  });

  it("drops hints", () => {
    expect(steps({ command: COMMAND.TRIM, length: 9 }, ALL_FLAGS & ~F.SEND_TRIM)).toEqual([]);
    expect(steps({ command: COMMAND.CACHE, length: 9 }, ALL_FLAGS & ~F.SEND_CACHE)).toEqual([]);
    expect(steps({ command: COMMAND.CACHE, flags: FUA, length: 9 }, ALL_FLAGS & ~F.SEND_CACHE & ~F.SEND_FUA)).toEqual(
      [],
    );
  });

  it("writes zeros out, a mebibyte at a time, with FUA where that is offered", () => {
    const offered = ALL_FLAGS & ~F.SEND_WRITE_ZEROES;
    const zeroes = { command: COMMAND.WRITE_ZEROES, flags: FUA | NO_HOLE, offset: 512, length: 2 * MIB + 512 };
    expect(steps(zeroes, offered)).toEqual([
      `WRITE 1 at 512+${MIB}`,
      `WRITE 1 at ${512 + MIB}+${MIB}`,
      `WRITE 1 at ${512 + 2 * MIB}+512`,
    ]);
    expect(steps({ ...zeroes, length: 512 }, offered & ~F.SEND_FUA)).toEqual(["WRITE 0 at 512+512"]);
    const written = [
      ...(standInSteps(request({ ...zeroes, length: 512 }), offer(offered)) ?? []),
    ][0]?.payload[0]?.bytes();
    expect(written).toEqual(Buffer.alloc(512));
  });

  it("writes no more zeros at a time than the server takes", () => {
    const offered = ALL_FLAGS & ~F.SEND_WRITE_ZEROES;
    const zeroes = { command: COMMAND.WRITE_ZEROES, offset: 4096, length: 10_240 };
    expect(steps(zeroes, offered, 4096)).toEqual([
      "WRITE 0 at 4096+4096",
      "WRITE 0 at 8192+4096",
      "WRITE 0 at 12288+2048",
    ]);
  });

  it("drops DF where that is gone", () => {
    const asked = { flags: DF, offset: 512, length: 9 };
    expect(steps(asked, ALL_FLAGS | F.SEND_DF)).toBeUndefined();
    expect(steps(asked, ALL_FLAGS & ~F.SEND_DF)).toEqual(["READ 0 at 512+9"]);
    expect(steps({ ...asked, flags: DF | FUA }, ALL_FLAGS & ~F.SEND_DF)).toEqual(["READ 1 at 512+9"]);
  });

  it("asks for block status without FUA where that is gone, with the other flags", () => {
    const asked = { command: COMMAND.BLOCK_STATUS, flags: FUA | REQ_ONE, length: 9 };
    expect(steps(asked, ALL_FLAGS & ~F.SEND_FUA)).toEqual(["BLOCK_STATUS 8 at 0+9"]);
  });

  it("does a request without FAST_ZERO when that is gone", () => {
    const zeroes = { command: COMMAND.WRITE_ZEROES, flags: FAST_ZERO | FUA, length: 8 };
    expect(steps(zeroes, ALL_FLAGS & ~F.SEND_FAST_ZERO)).toEqual(["WRITE_ZEROES 1 at 0+8"]);
    expect(steps(zeroes, ALL_FLAGS & ~F.SEND_FAST_ZERO & ~F.SEND_FUA)).toEqual(["WRITE_ZEROES 0 at 0+8"]);
  });
});

describe("needsFlush", () => {
  it("is so for what changes the disk and was to be stable, where FUA is gone", () => {
    const offered = ALL_FLAGS & ~F.SEND_FUA;
    for (const command of [COMMAND.WRITE, COMMAND.WRITE_ZEROES, COMMAND.TRIM]) {
      expect(needsFlush(command, FUA, offered)).toBe(true);
      expect(needsFlush(command, FUA | NO_HOLE, offered & ~F.SEND_TRIM)).toBe(true);
      expect(needsFlush(command, NO_HOLE, offered)).toBe(false);
      expect(needsFlush(command, FUA, ALL_FLAGS)).toBe(false);
    }
  });

  it("is not so for a READ, nor where there is no FLUSH either", () => {
    expect(needsFlush(COMMAND.READ, FUA, ALL_FLAGS & ~F.SEND_FUA)).toBe(false);
    expect(needsFlush(COMMAND.WRITE, FUA, ALL_FLAGS & ~F.SEND_FUA & ~F.SEND_FLUSH)).toBe(false);
  });
});
