/** The only job in fio's JSON. Throws for anything else, and for a job that failed. */
export function parseFioJob(text: string): unknown {
  // Notes of the engine may come before it.
  const start = text.indexOf("{");
  if (start === -1) throw new Error("fio printed no JSON");
  const report: unknown = JSON.parse(text.slice(start));
  const jobs = property(report, "jobs");
  const job: unknown = Array.isArray(jobs) ? jobs[0] : undefined;
  const error = numberAt(job, "error");
  if (error !== 0) throw new Error(`fio's job ended with error ${error}`);
  return job;
}

/** A part of fio's JSON by its name; throws when there is none. */
export function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !(name in value)) throw new Error(`fio's JSON has no "${name}"`);
  return (value as Record<string, unknown>)[name];
}

/** A number in fio's JSON by its name; throws when there is none. */
export function numberAt(value: unknown, name: string): number {
  const found = property(value, name);
  if (typeof found !== "number") throw new Error(`"${name}" in fio's JSON is not a number`);
  return found;
}
