// RunSizeHistogram: how long the physically contiguous runs behind the mappings are: how broken up the memory is.
// Source followed: none in the kernel; a run ends where the next piece of the same mapping lies elsewhere.
// Simplified: sizes by powers of two.

/**
 * Runs of at least `from` and less than twice as many bytes.
 * @public
 */
export interface RunSizeClass {
  readonly from: number;
  readonly runs: number;
  readonly bytes: number;
}

const CLASSES = 53;

/** Counts runs by size. */
export class RunSizeHistogram {
  readonly #runs = new Float64Array(CLASSES);
  readonly #bytes = new Float64Array(CLASSES);

  /** Takes in the pieces of one mapping, in order of DMA addresses. */
  add(phys: readonly number[], bytes: readonly number[]): void {
    let run = 0;
    for (let piece = 0; piece < phys.length; piece += 1) {
      const length = bytes[piece] as number;
      run += length;
      const next = piece + 1 < phys.length ? phys[piece + 1] : -1;
      if (next === (phys[piece] as number) + length) continue;
      this.#count(run);
      run = 0;
    }
  }

  /** Takes in what another histogram counted. */
  addAll(other: RunSizeHistogram): void {
    for (let size = 0; size < CLASSES; size += 1) {
      this.#runs[size] = (this.#runs[size] as number) + (other.#runs[size] as number);
      this.#bytes[size] = (this.#bytes[size] as number) + (other.#bytes[size] as number);
    }
  }

  /** The classes that are not empty, smallest first. */
  classes(): RunSizeClass[] {
    const classes: RunSizeClass[] = [];
    for (let size = 0; size < CLASSES; size += 1) {
      const runs = this.#runs[size] as number;
      if (runs > 0) classes.push({ from: 2 ** size, runs, bytes: this.#bytes[size] as number });
    }
    return classes;
  }

  #count(bytes: number): void {
    const size =
      bytes < 2 ** 32 ? 31 - Math.clz32(bytes) : Math.min(CLASSES - 1, Math.floor(Math.log2(bytes)));
    this.#runs[size] = (this.#runs[size] as number) + 1;
    this.#bytes[size] = (this.#bytes[size] as number) + bytes;
  }
}
