// Feeds hostile input to the proxy's parts, both roles: node scripts/fuzz.mjs [--inputs N] [--seed S]
// [--role client|server|both] [--level parser|connection] [--target NAME] [--size N]. The same seed and target do the same again.
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { compiled } from "./compiled.mjs";

/** An input that takes longer than this has made something spin. */
const STUCK_MS = 20_000;
const [SEED, COUNT] = [0, 1];

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    role: { type: "string", default: "both" },
    level: { type: "string" },
    target: { type: "string" },
    size: { type: "string" },
  },
});
const order = {
  inputs: wholeNumber("inputs", values.inputs),
  firstSeed: wholeNumber("seed", values.seed),
  role: values.role === "both" ? undefined : oneOf("role", values.role, ["client", "server"]),
  level: values.level === undefined ? undefined : oneOf("level", values.level, ["parser", "connection"]),
  target: values.target,
  size: values.size === undefined ? undefined : wholeNumber("size", values.size),
  progress: new SharedArrayBuffer(8),
};
const worker = compiled("test/fuzz/fuzz-worker.ts");
console.log(`seed ${order.firstSeed}`);
run();

/** @param {string} name @param {string} text */
function wholeNumber(name, text) {
  if (!/^[0-9]+$/.test(text)) usage(name, text);
  return Number(text);
}

/** @param {string} name @param {string} text @param {string[]} choices */
function oneOf(name, text, choices) {
  if (!choices.includes(text)) usage(name, text);
  return text;
}

/** @param {string} name @param {string} text */
function usage(name, text) {
  console.error(`--${name} can't be ${JSON.stringify(text)}; scripts/fuzz.mjs begins with what it can be`);
  process.exit(2);
}

/** The inputs run in a thread of their own, so that one that never ends is noticed. */
function run() {
  const fuzzer = new Worker(worker, { workerData: order, execArgv: ["--enable-source-maps"] });
  const progress = new Int32Array(order.progress);
  let target = "";
  let last = -1;
  setInterval(() => {
    const count = progress[COUNT] ?? 0;
    if (count === last) end(`STUCK --target ${target} --seed ${(progress[SEED] ?? 0) >>> 0} --inputs 1`, 1);
    last = count;
  }, STUCK_MS);
  fuzzer.on("message", (/** @type {{ target?: string, line?: string, findings?: number }} */ news) => {
    target = news.target ?? target;
    if (news.line !== undefined) console.log(news.line);
    if (news.findings !== undefined) end(`${news.findings} findings`, news.findings === 0 ? 0 : 1);
  });
  fuzzer.on("error", (error) => end(`the fuzzer itself failed: ${error.stack}`, 1));
}

/** @param {string} line @param {number} status */
function end(line, status) {
  console.log(line);
  process.exit(status);
}
