/** Where the core says what happens. Peers' bytes in a message must have been escaped by the one who writes it. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warning(message: string): void;
  error(message: string): void;
}
