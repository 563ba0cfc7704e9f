import { expect, it } from "vitest";

import { endpointText } from "../../../src/transport/endpoint-text.ts";

it("writes endpoints as people know them", () => {
  expect(endpointText({ kind: "tcp", host: "127.0.0.1", port: 10809 })).toBe("127.0.0.1:10809");
  expect(endpointText({ kind: "tcp", host: "store.example", port: 1 })).toBe("store.example:1");
  expect(endpointText({ kind: "tcp", host: "::1", port: 10809 })).toBe("[::1]:10809");
  expect(endpointText({ kind: "unix", path: "/run/nbd.sock" })).toBe("unix:/run/nbd.sock");
});
