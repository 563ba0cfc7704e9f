import { failureText } from "./failure-text.ts";

/** Someone who is out after the first failure, and what that was. */
interface Competitor {
  failure: string | null | undefined;
}

/** Does some work of a competitor that is not out. It is out when that fails. */
export async function unlessItFails(competitor: Competitor, work: () => Promise<void>): Promise<void> {
  if (typeof competitor.failure === "string") return;
  try {
    await work();
  } catch (error) {
    competitor.failure = failureText(error);
  }
}
