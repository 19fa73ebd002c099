// Progress: a line on standard error while a run takes longer than a second.
// Source followed: the project's command-line conventions: data on stdout, everything else on stderr.
// Simplified: off a terminal there is none; a program that reads standard error finds errors there and nothing else.

import type { World } from './world.ts';

const QUIET_MS = 1000;
const REDRAW_MS = 100;

/** Progress of one piece of work. */
export class Progress {
  readonly #world: World;
  readonly #startedAt: number;
  #lastDrawn = Number.NEGATIVE_INFINITY;
  #drawn = false;

  constructor(world: World) {
    this.#world = world;
    this.#startedAt = world.now();
  }

  /** `done` of `total` steps of `what` are done. */
  step(what: string, done: number, total: number): void {
    this.show(() => `${what}: ${done} of ${total}`);
  }

  /** Shows how far it is; `text` is asked when it is time to draw. */
  show(text: () => string): void {
    if (!this.#world.stderrIsTerminal) return;
    const now = this.#world.now();
    if (now - this.#startedAt < QUIET_MS) return;
    if (now - this.#lastDrawn < REDRAW_MS) return;
    this.#lastDrawn = now;
    this.#drawn = true;
    this.#world.err(`\r\u001b[K${text()}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#drawn) this.#world.err('\r\u001b[K');
  }
}
