/** How many bytes our log says were written again after its last outage. Undefined when it tells of none. */
export function replayedBytes(log: string): number | undefined {
  const [, bytes] = [...log.matchAll(/connected again after .*?, (\d+) bytes replayed/g)].at(-1) ?? [];
  return bytes === undefined ? undefined : Number(bytes);
}
