import type { Setting } from "../../../src/config/setting.ts";

/** A setting as it comes from the command line. */
export const typed = <T>(label: string, value: T): Setting<T> => ({
  value,
  text: String(value),
  label,
  origin: "command line",
});

/** As it comes from the environment. */
export const inherited = <T>(label: string, value: T): Setting<T> => ({
  ...typed(label, value),
  origin: "environment",
});
