// TranslationCheck: asks the IOMMU, as a device would, where the addresses that a run handed out lead.
// Source followed: VT-d specification 3: a request is translated by the tables in memory, or by what the IOTLB holds.
// One mapping in sixteen, and each of a direct user of the IOMMU, is looked at, first and last byte: after mapping it must lead to the traced memory; after
// unmapping in strict mode it must be refused. In lazy mode it may still be answered, which is what lazy means.
// Simplified: one read or write per byte looked at, by the direction of the mapping.

import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import type { ReplayMapping } from './replay-mapping.ts';
import type { RunMachine } from './run-machine.ts';

const SAMPLE_MASK = 15;
const WATCHED_MASK = 127;
const INTERRUPT_FIRST = 0xfee00000;
const INTERRUPT_LAST = 0xfeefffff;
const MOST_WRONG = 8;

const isInterrupt = (address: number): boolean => address >= INTERRUPT_FIRST && address <= INTERRUPT_LAST;

/**
 * A translation that is not what it must be.
 * @public
 */
export interface WrongTranslation {
  /** Line of the trace that mapped. */
  readonly line: number;
  readonly address: number;
  /** Physical address, -1 = refused. */
  readonly expected: number;
  readonly got: number;
}

/** Looks at a sample of the mappings of one run. */
export class TranslationCheck {
  looked = 0;
  /** Lookups after unmapping, and those that were still answered, from the IOTLB. */
  lookedAfterUnmap = 0;
  stillAnswered = 0;
  wrongCount = 0;
  readonly wrong: WrongTranslation[] = [];
  readonly #machine: RunMachine;

  constructor(machine: RunMachine) {
    this.#machine = machine;
  }

  /** True when a mapping belongs to the sample. */
  wants({ traced }: ReplayMapping): boolean {
    return (traced.id & SAMPLE_MASK) === 0 || traced.kind === 'iommu-api';
  }

  /** True when the calls for a mapping are watched for violations, which costs more than looking at addresses. */
  watches({ traced }: ReplayMapping): boolean {
    return (traced.id & WATCHED_MASK) === 0;
  }

  /** The mapping was made by the device `requesterId`; `first` and `last` are DMA addresses, -1 = not to be looked at. */
  mapped(mapping: ReplayMapping, requesterId: number, first: number, last: number): void {
    const { phys, bytes } = mapping;
    const end = phys.length - 1;
    this.#look(mapping, requesterId, first, phys[0] as number);
    this.#look(mapping, requesterId, last, (phys[end] as number) + (bytes[end] as number) - 1);
  }

  /** It was unmapped just now. `flushed`: the addresses must be refused. */
  unmapped(mapping: ReplayMapping, requesterId: number, first: number, flushed: boolean): void {
    if (first < 0 || isInterrupt(first)) return;
    this.lookedAfterUnmap += 1;
    const got = this.#translate(mapping, requesterId, dmaAddr(first));
    if (got < 0) return;
    this.stillAnswered += 1;
    if (flushed) this.#note(mapping, first, -1, got);
  }

  #look(mapping: ReplayMapping, requesterId: number, address: number, expected: number): void {
    if (address < 0 || isInterrupt(address)) return;
    this.looked += 1;
    const got = this.#translate(mapping, requesterId, dmaAddr(address));
    if (got !== expected) this.#note(mapping, address, expected, got);
  }

  #translate({ direction }: ReplayMapping, requesterId: number, address: DmaAddr): number {
    return this.#machine.unit.translate(requesterId, address, direction === 'from-device');
  }

  #note({ traced }: ReplayMapping, address: number, expected: number, got: number): void {
    this.wrongCount += 1;
    if (this.wrong.length < MOST_WRONG) {
      this.wrong.push({ line: traced.mappedLine, address, expected, got });
    }
  }
}
