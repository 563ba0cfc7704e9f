/**
 * How many bytes the requests in a piece of the log of nbdkit's log filter ask for. What is to be cached is fetched as well:
 *
 *     2026-01-01 10:00:00.000000 connection=1 Read id=1 offset=0x0 count=0x1000 ...
 *     2026-01-01 10:00:00.005000 connection=1 ...Read id=1 return=0
 */
export function loggedReadBytes(log: string): number {
  let bytes = 0;
  for (const [, count] of log.matchAll(/ (?:Read|Cache) id=\d+ offset=0x[\da-f]+ count=0x([\da-f]+) /g)) {
    bytes += Number.parseInt(count ?? "", 16);
  }
  return bytes;
}
