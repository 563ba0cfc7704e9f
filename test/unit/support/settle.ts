/** Lets everything run that is due in this turn of the event loop: promises, and what the core does "soon". */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Waits until a condition holds; for real sockets only, whose pace is not ours. */
export async function until(what: string, holds: () => boolean, patienceMs = 5000): Promise<void> {
  const endMs = Date.now() + patienceMs;
  while (!holds()) {
    if (Date.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}
