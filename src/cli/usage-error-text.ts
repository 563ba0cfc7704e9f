import { UsageError } from "../config/usage-error.ts";

/** What the user is told about a usage error, ending in a newline; undefined for any other error. */
export function usageErrorText(error: unknown): string | undefined {
  if (!(error instanceof UsageError)) return undefined;
  return `flexnbd-proxy: ${error.message}\nTry 'flexnbd-proxy --help' for more information.\n`;
}
