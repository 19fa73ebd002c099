// CpuNumbers: the CPUs of a trace as numbers from 0 in the order of their appearance.
// Source followed: none; address caches and flush rings of the kernel are kept per CPU.
// Simplified: CPUs beyond the number that a run's machine has share with earlier ones.

import { REPLAY_CPUS } from './run-machine.ts';

/** Numbers CPUs. */
export class CpuNumbers {
  readonly #numbers = new Map<number, number>();

  /** CPUs seen. */
  get count(): number {
    return this.#numbers.size;
  }

  /** The number of `cpu`; one that the trace does not say counts as the first. */
  of(cpu: number): number {
    if (cpu < 0) return 0;
    const known = this.#numbers.get(cpu);
    if (known !== undefined) return known;
    const number = this.#numbers.size % REPLAY_CPUS;
    this.#numbers.set(cpu, number);
    return number;
  }
}
