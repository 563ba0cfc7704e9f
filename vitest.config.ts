import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          // No test waits for real time; this only ends those that hang, on however busy a machine.
          testTimeout: 60_000,
          include: [
            "test/unit/**/*.test.ts",
            "test/simulation/**/*.test.ts",
            "test/exhaustive/**/*.test.ts",
            "test/fuzz/**/*.test.ts",
          ],
        },
      },
      {
        test: {
          name: "integration",
          // After the unit tests: real processes and the simulation would slow each other down.
          sequence: { groupOrder: 1 },
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/integration/support/build.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
    coverage: { provider: "v8", include: ["src/**"] },
  },
});
