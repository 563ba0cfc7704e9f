import { LIMITS } from "../limits.ts";
import type { FenceMode } from "./fence-mode.ts";
import { badSetting, unlessOverruled } from "./setting.ts";
import type { Maybe } from "./setting.ts";
import type { UnflushedMode } from "./unflushed-mode.ts";

/** How writes are protected where the user says nothing. */
export const PROTECTION_DEFAULTS = {
  unflushed: "log",
  unflushedLimitBytes: LIMITS.budgetBytes,
  lingerMs: 60_000,
  pinMs: 60_000,
  fence: "none",
  shared: false,
} as const satisfies ProtectionConfig;

/** The options about the protection of writes, parsed but not yet checked against each other. */
export interface ProtectionSettings {
  readonly unflushed: Maybe<UnflushedMode>;
  readonly unflushedLimit: Maybe<number>;
  readonly linger: Maybe<number>;
  readonly pin: Maybe<number>;
  readonly fence: Maybe<FenceMode>;
  readonly shared: Maybe<true>;
}

/** How writes are protected from servers that crash, hang and come round. */
export interface ProtectionConfig {
  readonly unflushed: UnflushedMode;
  /** Memory for everything held: requests under way and unflushed writes. */
  readonly unflushedLimitBytes: number;
  /** How long unflushed writes are kept for a server that is away when no client is left. */
  readonly lingerMs: number;
  /** How long what was being written when a connection was lost is guarded against its late requests; 0: not at all. */
  readonly pinMs: number;
  readonly fence: FenceMode;
  /** Others than this proxy write to the export: no copies, and no write is sent again. */
  readonly shared: boolean;
}

/** Puts the options about the protection of writes together. Throws UsageError. */
export function protectionConfig(settings: ProtectionSettings): ProtectionConfig {
  const { unflushed, pin, shared } = settings;
  const common = {
    unflushedLimitBytes: settings.unflushedLimit?.value ?? PROTECTION_DEFAULTS.unflushedLimitBytes,
    lingerMs: settings.linger?.value ?? PROTECTION_DEFAULTS.lingerMs,
    fence: settings.fence?.value ?? PROTECTION_DEFAULTS.fence,
  };
  if (shared === undefined) {
    return {
      ...common,
      unflushed: unflushed?.value ?? PROTECTION_DEFAULTS.unflushed,
      pinMs: pin?.value ?? PROTECTION_DEFAULTS.pinMs,
      shared: false,
    };
  }

  const strayMode = unlessOverruled(unflushed, shared);
  if (strayMode !== undefined && strayMode.value !== "off") {
    throw badSetting(strayMode, `has no meaning: with ${shared.label}, unflushed writes are not protected`);
  }
  const strayPin = unlessOverruled(pin, shared);
  if (strayPin !== undefined && strayPin.value !== 0) {
    throw badSetting(strayPin, `has no meaning: with ${shared.label}, nothing is guarded against late requests`);
  }
  return { ...common, unflushed: "off", pinMs: 0, shared: true };
}
