import { parentPort, workerData } from "node:worker_threads";
import { FUZZ_TARGETS, INPUT_SIZE, likeness, runTarget, shrink } from "./run-fuzz.ts";
import type { FuzzTarget } from "./support/fuzz-target.ts";

/** What scripts/fuzz.mjs asks for; what is not given is everything. */
interface FuzzOrder {
  readonly inputs: number;
  readonly firstSeed: number;
  readonly role: string | undefined;
  readonly level: string | undefined;
  readonly target: string | undefined;
  readonly size: number | undefined;
  /** Where the one who watches looks: the seed in work, and how many inputs were begun. */
  readonly progress: SharedArrayBuffer;
}

/** What the one who watches is told: what is fuzzed now, a line for people, or at the end the number of findings. */
type News = { readonly target: string } | { readonly line: string } | { readonly findings: number };

/** After so many findings there is enough to do. */
const ENOUGH_FINDINGS = 10;
/** Connections cost about a hundred times as much as decoders. */
const SHARES = { parser: 1, connection: 0.15 } as const;

const order = workerData as FuzzOrder;
const progress = new Int32Array(order.progress);
let findings = 0;

const targets = FUZZ_TARGETS.filter(
  ({ name, role, level }) =>
    (order.role ?? role) === role && (order.level ?? level) === level && (order.target ?? name) === name,
);
const shares = targets.reduce((sum, { level }) => sum + SHARES[level], 0);
for (const target of targets) {
  tell({ target: target.name });
  await fuzz(target, Math.ceil((order.inputs * SHARES[target.level]) / shares));
}
if (targets.length === 0) tell({ line: `nothing is called ${order.target}` });
tell({ findings: targets.length === 0 ? 1 : findings });

async function fuzz(target: FuzzTarget, inputs: number): Promise<void> {
  let { firstSeed } = order;
  let elapsedMs = 0;
  let done = 0;
  const known = new Set<string>();
  const before = memory();
  while (done < inputs && findings < ENOUGH_FINDINGS) {
    const size = order.size ?? INPUT_SIZE;
    const report = await runTarget(target, { firstSeed, inputs: inputs - done, size, begins });
    firstSeed += report.inputs;
    done += report.inputs;
    elapsedMs += report.elapsedMs;
    if (report.failure === undefined || known.has(likeness(report.failure.error))) continue;
    known.add(likeness(report.failure.error));
    findings += 1;
    const small = await shrink(report.failure, begins);
    const how = `--target ${target.name} --seed ${small.seed} --size ${small.size} --inputs 1`;
    tell({ line: `FOUND ${how}\n${small.error.stack ?? small.error.message}` });
  }
  const pace = `${Math.round((done / elapsedMs) * 1000)} per second`;
  const { role, level, name } = target;
  tell({ line: `${role} ${level} ${name}: ${done} inputs, ${pace}, memory ${before} → ${memory()}` });
}

function begins(seed: number): void {
  Atomics.store(progress, 0, seed | 0);
  Atomics.add(progress, 1, 1);
}

/** Resident memory, and the parts of it that JavaScript knows about. */
function memory(): string {
  const { rss, external, heapUsed } = process.memoryUsage();
  const [all, heap, buffers] = [rss, heapUsed, external].map((bytes) => Math.round(bytes / 2 ** 20));
  return `${all} MiB (heap ${heap}, buffers ${buffers})`;
}

function tell(news: News): void {
  parentPort?.postMessage(news, []);
}
