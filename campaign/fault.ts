/** What can strike a server. */
export const FAULTS = ["power-loss", "kill", "stop", "reset", "drop", "enospc", "other-size"] as const;

/** The name of a fault. */
export type Fault = (typeof FAULTS)[number];

/** What each fault does, for who reads the help. */
export const FAULT_TEXTS: Readonly<Record<Fault, string>> = {
  "power-loss": "the server is killed and loses what it has not flushed",
  kill: "the server is killed; what it wrote is in the file",
  stop: "the server's processes stand still for a while",
  reset: "the connection between proxy and server is reset",
  drop: "the network between proxy and server drops everything for a while",
  enospc: "the server has no space left for a while",
  "other-size": "a server with a disk of another size stands in for a while",
};
