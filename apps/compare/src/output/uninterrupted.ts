// Work that a signal does not break off: the signal is heard, and obeyed when the work is done.
// Source followed: signal(7); a program that was ended by a signal is to be seen as such by whoever waits for it, so the
// signal is sent once more, to nobody who listens.
// Simplified: the three signals with which people and terminals end a program.

import { setImmediate } from 'node:timers/promises';

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs `work`, which waits for nothing. Ends the program behind it when it was told to end meanwhile. */
export async function uninterrupted(work: () => void): Promise<void> {
  let heard: NodeJS.Signals | null = null;
  const hear = (signal: NodeJS.Signals): void => {
    heard = signal;
  };
  for (const signal of SIGNALS) process.on(signal, hear);
  try {
    work();
  } finally {
    // What came in meanwhile is told in the next whole turn of the event loop; the first of the two may be half over.
    await setImmediate();
    await setImmediate();
    for (const signal of SIGNALS) process.off(signal, hear);
    if (heard !== null) process.kill(process.pid, heard);
  }
}
