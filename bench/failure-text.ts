/** What to say of something that was thrown. */
export function failureText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
