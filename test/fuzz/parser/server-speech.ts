import { expectThat } from "../support/fuzz-target.ts";

/** The options that bytes of a client begin, as far as they make sense, read in the plainest way. */
export function optionsIn(bytes: Buffer): number[] {
  const options: number[] = [];
  for (let at = 4; at + 16 <= bytes.length && bytes.toString("latin1", at, at + 8) === "IHAVEOPT";) {
    options.push(bytes.readUInt32BE(at + 8));
    at += 16 + bytes.readUInt32BE(at + 12);
  }
  return options;
}

/**
 * What a new-style server said: a greeting, then for each option information and one last word, in the order of the options; at
 * the end perhaps the answer to EXPORT_NAME, which has no header.
 */
export function checkServerSpeech(sent: Buffer, options: readonly number[]): void {
  expectThat(sent.toString("latin1", 0, 16) === "NBDMAGICIHAVEOPT", "no greeting");
  let answered = 0;
  let at = 18;
  let structured = false;
  while (at < sent.length) {
    const left = sent.length - at;
    const option = options[answered];
    expectThat(option !== undefined, `said ${left} bytes more than was asked for`);
    if (option === 1) {
      expectThat(left === 10 || left === 134, `answered EXPORT_NAME with ${left} bytes`);
      checkDf(sent.readUInt16BE(at + 8), structured);
      return;
    }
    expectThat(left >= 20 && sent.toString("hex", at, at + 8) === "0003e889045565a9", "a malformed option reply");
    expectThat(sent.readUInt32BE(at + 8) === option, "a reply to another option");
    const type = sent.readUInt32BE(at + 12);
    const length = sent.readUInt32BE(at + 16);
    expectThat(length <= 4096 + 4 && at + 20 + length <= sent.length, `an option reply of ${length} bytes`);
    if (type === 1 && option === 8) structured = true;
    if (type === 3 && sent.readUInt16BE(at + 20) === 0) checkDf(sent.readUInt16BE(at + 30), structured);
    if (type === 4) checkContext(sent.subarray(at + 20, at + 20 + length), option, structured);
    const isLast = type === 1 || type >= 0x80000000;
    if (isLast) answered += 1;
    at += 20 + length;
  }
}

/** DF is shown to those who have structured replies, and only to them. */
function checkDf(flags: number, structured: boolean): void {
  expectThat(
    ((flags & 0x80) !== 0) === structured,
    `flags ${flags.toString(16)} with structured replies: ${structured}`,
  );
}

function checkContext(data: Buffer, option: number, structured: boolean): void {
  expectThat(structured && (option === 9 || option === 10), `a context in an answer to ${option}`);
  expectThat(
    (data.readUInt32BE(0) === 0) === (option === 9),
    `the id ${data.readUInt32BE(0)} in an answer to ${option}`,
  );
}
