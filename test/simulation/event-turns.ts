/** Turns of the event loop that are asked for at once; asking costs more than taking them. */
const TURNS_AT_ONCE = 128;

/**
 * Calls `step` again and again until it returns false, each time in a turn of its own: as between two events of the system,
 * everything that promises and microtasks have to do is done before the next.
 */
export function runInTurns(step: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    let over = false;
    const turn = (): void => {
      if (!over) over = !step();
    };
    const ask = (): void => {
      if (over) {
        resolve();
        return;
      }
      for (let count = 0; count < TURNS_AT_ONCE; count += 1) setImmediate(turn);
      setImmediate(ask);
    };
    ask();
  });
}
