import { expect, it } from "vitest";

import { usageErrorText } from "../../../src/cli/usage-error-text.ts";
import { UsageError } from "../../../src/config/usage-error.ts";

it("names the program and the problem, then where to find help", () => {
  expect(usageErrorText(new UsageError("--port is missing"))).toMatch(
    /^flexnbd-proxy: --port is missing\n.*flexnbd-proxy --help.*\n$/,
  );
});

it("has nothing to say about other errors", () => {
  expect(usageErrorText(new Error("a bug"))).toBeUndefined();
});
