// A peer's memory that is not given back, or not let go: the run says so.
import { PAGE_SIZE, physAddr } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import type { IoRecord } from './io-record.ts';
import { pageLayerMemory } from './page-layer-memory.ts';
import type { PeerMemory, PeerMemoryLayer } from './peer-memory.ts';
import { runPeerScenario } from './peer-scenario.ts';
import { peerTreeSite } from './peer-tree-site.ts';
import { scatterlistStack } from './scatterlist-stage.ts';
import type { StageReport } from './stage-report.ts';
import { verdictOf } from './verdict.ts';

const ios: readonly IoRecord[] = [
  { operation: 'write', position: 0, iovecs: [[{ phys: physAddr(0x200000), bytes: PAGE_SIZE }]] },
];

/** The page layer, but for what `change` does to its memory. */
function run(change: (memory: PeerMemory) => void): StageReport {
  const layer: PeerMemoryLayer<PeerMemory> = (parts) => {
    const memory = pageLayerMemory(parts);
    if (typeof memory !== 'number') change(memory);
    return memory;
  };
  const input = { ios, seed: 1, iommu: true, site: peerTreeSite({ peer: 'switch' }) };
  return runPeerScenario({ stage: 0, title: 'test' }, input, layer, scatterlistStack);
}

it('fails when blocks of the peer stay taken, and when its owner cannot let go', () => {
  expect(verdictOf(run(() => undefined)).ok).toBe(true);
  const kept = run((memory) => {
    memory.give = () => undefined;
  });
  expect(kept.leftovers.p2pmemBlocks).toBeGreaterThan(0);
  expect(verdictOf(kept).ok).toBe(false);
  const held = run((memory) => {
    memory.release = () => false;
  });
  expect(held.failures).toMatchObject([{ kind: 'teardown' }]);
});
