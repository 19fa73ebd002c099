// A device's own access, held against what its driver mapped: the address must be live, linked, visible, and open in
// that direction.
// Source followed: none; the kernel never sees a device's accesses. An IOMMU refuses some of what is found here, the
// direct map nothing.
// Simplified: who owns the buffer between two syncs is not judged; a driver may sync parts in any order.

import type { DmaAddr } from '@sgfree/hw-model';
import type { Device } from '../device.ts';
import type { DmaDataDirection } from '../dma-direction.ts';
import type { DmaDebugRuleCode } from './debug-rule-codes.ts';
import { checkerOf, type DmaDebug } from './dma-debug.ts';
import { explainAddress } from './provenance.ts';
import type { TwoStepRange } from './two-step-range.ts';

/** What is known of the bytes from some address on: how many of them, and what is wrong with their use. */
interface Stretch {
  readonly bytes: number;
  readonly fault: DmaDebugRuleCode | null;
}

interface Access {
  readonly debug: DmaDebug;
  readonly dev: Device;
  readonly wrong: DmaDataDirection;
}

/**
 * Checks that `dev` may read or write `bytes` bytes at `address` now. Null, or the rule of the violation it posted.
 * @public
 */
export function checkDmaAccess(
  dev: Device,
  address: DmaAddr,
  bytes: number,
  kind: 'read' | 'write',
): DmaDebugRuleCode | null {
  const debug = checkerOf(dev);
  if (debug === null) return null;
  const access: Access = { debug, dev, wrong: kind === 'read' ? 'from-device' : 'to-device' };
  for (let done = 0; done < bytes; ) {
    const stretch = knownStretch(access, address, done);
    if (stretch === null) return unexplained(access, address, done, bytes);
    if (stretch.fault !== null) {
      debug.report.shadow(dev, stretch.fault, { address, size: bytes, access: kind, offset: done });
      return stretch.fault;
    }
    done += stretch.bytes;
  }
  return null;
}

function unexplained({ debug, dev }: Access, address: number, done: number, bytes: number): DmaDebugRuleCode {
  if (done === 0) return explainAddress(debug, dev, address, bytes, 'access');
  const data = { use: 'access', address, size: bytes, inside: done };
  debug.report.shadow(dev, 'dma-shadow-outside-mapping', data);
  return 'dma-shadow-outside-mapping';
}

/** The longest stretch at `address + done` whose use is right; failing that one that is wrong; null for none. */
function knownStretch(access: Access, address: number, done: number): Stretch | null {
  const at = address + done;
  let known: Stretch | null = null;
  for (const stretch of stretches(access, at)) {
    const better =
      known === null ||
      (known.fault !== null && stretch.fault === null) ||
      (known.fault === stretch.fault && stretch.bytes > known.bytes);
    if (better) known = stretch;
  }
  return known;
}

function* stretches({ debug, dev, wrong }: Access, at: number): Generator<Stretch> {
  for (const { devAddr, size, direction } of debug.entries.holding(dev, at)) {
    const fault = direction === wrong ? 'dma-shadow-access-direction' : null;
    yield { bytes: devAddr + size - at, fault };
  }
  for (const range of debug.ranges.holding(dev, at)) yield twoStepStretch(range, at - range.devAddr, wrong);
}

function twoStepStretch(range: TwoStepRange, offset: number, wrong: DmaDataDirection): Stretch {
  const piece = range.pieceAt(offset);
  if (piece === null) return { bytes: 1, fault: 'dma-shadow-access-unlinked' };
  const bytes = piece.end - offset;
  if (piece.direction === wrong) return { bytes, fault: 'dma-shadow-access-direction' };
  return { bytes, fault: piece.synced ? null : 'dma-shadow-access-unsynced' };
}
