import type { SeededRandom } from "../../simulation/seeded-random.ts";
import type { Field, Message } from "./message.ts";

/** Where arithmetic on lengths and offsets goes wrong. */
const BOUNDARIES: readonly bigint[] = [
  0n,
  1n,
  2n,
  0x7fffn,
  0xffffn,
  0x1_0000n,
  0x200_0000n,
  0x200_0001n,
  0x400_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_fffen,
  0xffff_ffffn,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** A draft is cut off here. */
const LONGEST_BYTES = 512 * 1024;

/** A text that is unkind to those who print it, look it up or decode it. */
const NASTY_BYTES: readonly Buffer[] = [
  Buffer.from("__proto__"),
  Buffer.from("../../etc/passwd"),
  Buffer.from("\r\nE: forged\r\n"),
  Buffer.from("\u001b[2J\u202e\u0000"),
  Buffer.from("c3280000fffefdfc", "hex"),
  Buffer.from("NBDMAGICIHAVEOPT"),
  Buffer.from("0003e889045565a9", "hex"),
  Buffer.from("6744669800000000", "hex"),
  Buffer.from("2560951300000001", "hex"),
  Buffer.alloc(28),
];

/** A message list on its way to become hostile. */
type Draft = Message[];

/** Changes a draft in place; it has at least one message. */
type Mutation = (draft: Draft, random: SeededRandom) => void;

const flipBit: Mutation = (draft, random) => {
  changeOne(draft, random, (bytes) => {
    const at = random.integer(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
  });
};

const setField: Mutation = (draft, random) => {
  changeField(draft, random, () => random.pick(BOUNDARIES));
};

const nudgeField: Mutation = (draft, random) => {
  const by = random.pick([-1n, 1n, -4096n, 4096n, 2n ** 31n]);
  changeField(draft, random, (value) => value + by);
};

const swapFields: Mutation = (draft, random) => {
  let other = 0n;
  changeField(draft, random, (value) => {
    other = value;
    return value;
  });
  changeField(draft, random, () => other);
};

const truncate: Mutation = (draft, random) => {
  replaceOne(draft, random, (bytes) => bytes.subarray(0, random.integer(bytes.length + 1)));
};

const drop: Mutation = (draft, random) => void draft.splice(random.integer(draft.length), 1);

const repeat: Mutation = (draft, random) => {
  const again = random.pick(draft);
  const times = random.chance(0.1) ? 70 : 1 + random.integer(3);
  draft.splice(random.integer(draft.length + 1), 0, ...Array.from({ length: times }, () => again));
};

const reorder: Mutation = (draft, random) => {
  const [moved] = draft.splice(random.integer(draft.length), 1);
  if (moved !== undefined) draft.splice(random.integer(draft.length + 1), 0, moved);
};

const splice: Mutation = (draft, random) => {
  const donor = random.pick(draft).bytes;
  const from = random.integer(donor.length + 1);
  const piece = donor.subarray(from, from + random.integer(donor.length - from + 1));
  insert(draft, random, piece);
};

const insertNasty: Mutation = (draft, random) => insert(draft, random, random.pick(NASTY_BYTES));

const overwrite: Mutation = (draft, random) => {
  const nasty = random.pick(NASTY_BYTES);
  changeOne(draft, random, (bytes) => nasty.copy(bytes, random.integer(bytes.length)));
};

const insertNoise: Mutation = (draft, random) => {
  const noise = Buffer.alloc(1 + random.integer(random.chance(0.02) ? 80_000 : 64), random.integer(256));
  insert(draft, random, noise);
};

const cutEnd: Mutation = (draft, random) => {
  draft.length = random.integer(draft.length + 1);
};

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setField,
  setField,
  setField,
  setField,
  nudgeField,
  nudgeField,
  swapFields,
  truncate,
  drop,
  repeat,
  reorder,
  splice,
  insertNasty,
  overwrite,
  insertNoise,
  cutEnd,
];

/** The same messages after that many changes for the worse. */
export function mutate(messages: readonly Message[], random: SeededRandom, count: number): Message[] {
  const draft = [...messages];
  for (let done = 0; done < count && draft.length > 0; done += 1) random.pick(MUTATIONS)(draft, random);
  return withinLimit(draft);
}

/** Hostile need not mean huge: repeated repetitions would only cost time. */
function withinLimit(draft: Draft): Draft {
  let bytes = 0;
  const rest = draft.findIndex((message) => (bytes += message.bytes.length) > LONGEST_BYTES);
  return rest < 0 ? draft : draft.slice(0, rest);
}

function changeOne(draft: Draft, random: SeededRandom, change: (bytes: Buffer) => void): void {
  replaceOne(draft, random, (bytes) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) change(changed);
    return changed;
  });
}

function replaceOne(draft: Draft, random: SeededRandom, replace: (bytes: Buffer) => Buffer): void {
  const index = random.integer(draft.length);
  const { bytes, fields } = draft[index] as Message;
  const replaced = replace(bytes);
  draft[index] = { bytes: replaced, fields: fields.filter((field) => field.at + field.sizeBytes <= replaced.length) };
}

function changeField(draft: Draft, random: SeededRandom, change: (value: bigint) => bigint): void {
  const index = random.integer(draft.length);
  const { bytes, fields } = draft[index] as Message;
  if (fields.length === 0) return;
  const changed = Buffer.from(bytes);
  const field = random.pick(fields);
  writeField(changed, field, change(readField(changed, field)));
  draft[index] = { bytes: changed, fields };
}

function readField(bytes: Buffer, { at, sizeBytes }: Field): bigint {
  if (sizeBytes === 8) return bytes.readBigUInt64BE(at);
  return BigInt(bytes.readUIntBE(at, sizeBytes));
}

function writeField(bytes: Buffer, { at, sizeBytes }: Field, value: bigint): void {
  const fitting = BigInt.asUintN(8 * sizeBytes, value);
  if (sizeBytes === 8) bytes.writeBigUInt64BE(fitting, at);
  else bytes.writeUIntBE(Number(fitting), at, sizeBytes);
}

function insert(draft: Draft, random: SeededRandom, piece: Buffer): void {
  replaceOne(draft, random, (bytes) => {
    const at = random.integer(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  });
}
