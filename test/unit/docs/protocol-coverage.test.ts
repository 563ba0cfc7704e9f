import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import * as constants from "../../../src/protocol/constants.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/protocol-coverage.md"), "utf8");

const WAYS = ["client → proxy", "proxy → server", "server → proxy", "proxy → client"];

/** The sections of the page, and the names that each must have a row for: those of the program, and those of extensions. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  "Magic numbers": [...magics(), "EXTENDED_REQUEST", "EXTENDED_REPLY"],
  "Handshake flags": Object.keys(constants.HANDSHAKE_FLAG),
  Options: [...Object.keys(constants.OPTION), "PEEK_EXPORT"],
  "Option replies": Object.keys(constants.OPTION_REPLY),
  Information: Object.keys(constants.INFO),
  "Transmission flags": [...Object.keys(constants.TRANSMISSION_FLAG), "BLOCK_STATUS_PAYLOAD"],
  Commands: [...Object.keys(constants.COMMAND), "RESIZE"],
  "Command flags": [...Object.keys(constants.COMMAND_FLAG), "PAYLOAD_LEN"],
  "Chunk types": [...Object.keys(constants.CHUNK), "BLOCK_STATUS_EXT"],
  "Chunk flags": Object.keys(constants.CHUNK_FLAG),
  "Flags of base:allocation": Object.keys(constants.ALLOCATION_FLAG),
  Errors: Object.keys(constants.NBD_ERROR),
};

/** Everything in src/protocol/constants.ts that is a list of names; the rest are lengths and the like. */
const LISTS = Object.entries(constants).filter(([, value]) => typeof value === "object");

/** What is not supported: each must be refused where it comes from outside, in these words. */
const NOT_SUPPORTED = [
  "EXTENDED_REQUEST",
  "EXTENDED_REPLY",
  "PEEK_EXPORT",
  "STARTTLS",
  "EXTENDED_HEADERS",
  "SEND_RESIZE",
  "BLOCK_STATUS_PAYLOAD",
  "RESIZE",
  "PAYLOAD_LEN",
  "BLOCK_STATUS_EXT",
];

/** How tests write what they hardly call by its name: as bytes, or in words. */
const OTHER_WORDS: Readonly<Record<string, RegExp>> = {
  INIT: /NBDMAGIC|GREETING/,
  OPTION: /IHAVEOPT|GREETING|49484156|\boption\(/,
  OLDSTYLE: /old-?style/i,
  OPTION_REPLY: /optionReply|0003e889/,
  REQUEST: /25609513|requestBytes/i,
  SIMPLE_REPLY: /67446698|replyBytes/i,
  STRUCTURED_REPLY: /668e33ef|chunkBytes/i,
  EXTENDED_REQUEST: /21e41c71/i,
  EXTENDED_REPLY: /6e8a278c/i,
  FIXED_NEWSTYLE: /fixed newstyle/,
  NO_ZEROES: /124 zeroes/,
  ABORT: /takes leave/,
  LIST: /"nbd-client", "-l"/,
  LIST_META_CONTEXT: /\bLIST = 9/,
  SET_META_CONTEXT: /\bSET = 10/,
  SERVER: /optionReply\(LIST, 2/,
  DESCRIPTION: /description/,
  BLOCK_SIZE: /block sizes|BLOCK_SIZE/i,
  NONE: /doneBytes/,
  OFFSET_DATA: /dataChunkBytes/,
  OFFSET_HOLE: /holeChunkBytes/,
};

/** A row of the page: what one message is called, and what the cell for each way says. */
interface Row {
  readonly section: string;
  readonly name: string;
  readonly cells: readonly { readonly way: string; readonly text: string; readonly tests: readonly string[] }[];
}

const ROWS = [...PAGE.matchAll(/^## (?<section>.+)\n(?<body>[^]*?)(?=^## |(?![^]))/gm)].flatMap(({ groups }) =>
  rowsOf(groups?.["section"] ?? "", groups?.["body"] ?? ""),
);

describe("the table of the protocol's messages", () => {
  it("has a section for every list of names in the program", () => {
    expect([...new Set(ROWS.map(({ section }) => section))]).toEqual(Object.keys(SECTIONS));
    expect(LISTS).toHaveLength(Object.keys(SECTIONS).length);
  });

  it.each(Object.entries(SECTIONS))("has a row for each name, and no other: %s", (section, names) => {
    const found = ROWS.filter((row) => row.section === section).map(({ name }) => name);
    expect(found.toSorted()).toEqual(names.toSorted());
  });

  it.each(ROWS)("names tests for every way of $section, $name", ({ cells }) => {
    expect(cells.filter(({ way }) => !WAYS.includes(way))).toEqual([]);
    expect(cells.filter(({ text, tests }) => (text === "never sent") === tests.length > 0)).toEqual([]);
    expect(cells.flatMap(({ tests }) => tests)).not.toEqual([]);
  });

  it.each(ROWS)("names tests that exist, and have it in them: $section, $name", ({ name, cells }) => {
    const tests = [...new Set(cells.flatMap((cell) => cell.tests))];
    expect(tests.filter((path) => !path.endsWith(".test.ts") || !existsSync(join(ROOT, path)))).toEqual([]);
    expect(tests.filter((path) => !mentions(path, name))).toEqual([]);
  });

  it("says of what is not supported that it is refused, and of nothing else", () => {
    const refused = ROWS.filter(({ cells }) => cells.some(({ text }) => text.startsWith("refused: ")));
    // A reply that nobody has asked for is refused as well.
    const expected = [...NOT_SUPPORTED, "SERVER"];
    expect(refused.map(({ name }) => name).toSorted()).toEqual(expected.toSorted());
  });
});

/** The names of the magic numbers; long ones are in two halves. */
function magics(): string[] {
  return [...new Set(Object.keys(constants.MAGIC).map((name) => name.replace(/_(HIGH|LOW)$/, "")))];
}

function rowsOf(section: string, body: string): Row[] {
  const [head = [], , ...rows] = body
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  return rows.map(([name = "", ...cells]) => ({
    section,
    name: name.replaceAll("`", ""),
    cells: cells.map((text, index) => ({
      way: head[index + 1] ?? "",
      text,
      tests: [...text.matchAll(/`(?<path>test\/[^`]+)`/g)].map((match) => match.groups?.["path"] ?? ""),
    })),
  }));
}

/**
 * Whether a test has a message in it: by its name, which may have more before it (`CMD_FLAG_DF`), by its number where no other
 * has that, or in other words.
 */
function mentions(path: string, name: string): boolean {
  const text = readFileSync(join(ROOT, path), "utf8");
  const error = Object.entries(constants.OPTION_REPLY).find(([one, value]) => one === name && value > 0x80000000);
  if (error !== undefined && text.includes(`0x${error[1].toString(16)}`)) return true;
  return new RegExp(`(?<![A-Za-z])${name}(?![A-Za-z_0-9])`).test(text) || OTHER_WORDS[name]?.test(text) === true;
}
