// FabricOptions: what of a dumped machine is to become a live fabric, and what may be taken for granted.
// Source followed: none; every assumption is one that the caller writes down, and the result names those that were used.
// Simplified: an assumption holds for all functions of which the fact is unknown.

import type { HostPeerRule, MmioTarget, PciFabricParts } from '@sgfree/hw-model';
import type { DumpedFunction, DumpedResource } from '../model/dumped-function.ts';

/**
 * Two functions, with the bridges above them and the first functions of their root buses.
 * @public
 */
export interface FabricPart {
  /** The function that sends requests. */
  readonly initiator: DumpedFunction;
  /** The function whose BAR answers. */
  readonly target: DumpedFunction;
  /** BAR number 0 to 5; default the largest memory BAR. */
  readonly bar?: number;
  /** True: the CPU reaches the initiator's BARs too, so the way down to it must be known. */
  readonly initiatorAnswers?: boolean;
}

/**
 * What may be assumed of facts that the dump does not show. Without it they are missing.
 * @public
 */
export interface FabricAssumptions {
  /** The ACS control register. */
  readonly acsControl?: number | 'absent';
  /** Bus address minus CPU address below every host bridge: 0 on x86. */
  readonly busOffset?: number;
  /** The size of a memory BAR in bytes; undefined leaves it unknown. */
  readonly barBytes?: (fn: DumpedFunction, bar: DumpedResource) => number | undefined;
  /** Memory decoding and bus mastering are on. */
  readonly commandOn?: true;
  /** The first function that the dump shows on a root bus is its first. */
  readonly rootDeviceAsShown?: true;
}

/**
 * How a fabric is built. The memory gets the apertures of the host bridges; RAM is the caller's to declare, before.
 * @public
 */
export interface FabricOptions extends PciFabricParts {
  /** Default: the whole machine. */
  readonly part?: FabricPart;
  /** Functions whose places stay empty: the caller plugs something else in. */
  readonly vacant?: readonly DumpedFunction[];
  /** Functions that a driver has enabled: they and the bridges above decode memory and forward requests, whatever was dumped. */
  readonly enabled?: readonly DumpedFunction[];
  /** ACS control registers as given instead of as dumped. Bits 6:0. */
  readonly acs?: ReadonlyMap<DumpedFunction, number>;
  readonly assume?: FabricAssumptions;
  /** How far root complexes forward requests between peers: no dump shows it. Default `any`. */
  readonly peerToPeer?: HostPeerRule;
  /** What answers behind a memory BAR; default memory that reads as zero before it is written. */
  readonly barTarget?: (fn: DumpedFunction, bar: DumpedResource, bytes: number) => MmioTarget;
}

/**
 * An assumption that was needed.
 * @public
 */
export interface UsedAssumption {
  readonly assumption: keyof FabricAssumptions;
  readonly fn: DumpedFunction;
}
