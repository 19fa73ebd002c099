// The recorded calls on an AMD domain, through the driver and seen from a device behind its unit: what the calls return is
// recorded; what the device reaches must agree with what they say.

import {
  type AmdFeatureRegisters,
  bareMetalAmdFeatures,
  dmaAddr,
  offsetWithin,
  physAddr,
  recordedAmdFeatures,
} from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { iommuDomainFree, iommuIovaToPhys, iommuMap, iommuUnmap } from '../src/index.ts';
import { type AmdMachine, amdMachine, DEVICE, PAGE } from './amd-machine.ts';
import { readText } from './recorded-trace-lines.ts';

interface HwdomRecord {
  readonly op: 'map' | 'unmap' | 'iova_to_phys';
  readonly iova: string;
  readonly size: string;
  readonly phys: string;
  /** A number for a map, hex bytes for an unmap. */
  readonly ret: number | string;
}

const file = new URL('../../../vectors/kernel/amd/hwdom_amd.jsonl', import.meta.url);
const [header, ...records] = readText(file)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as HwdomRecord & { pgsize_bitmap: string; aperture: [string, string] });

const phys = (machine: AmdMachine, iova: number): number =>
  machine.unit.translate(DEVICE, dmaAddr(iova), true);

const kinds: readonly [string, AmdFeatureRegisters][] = [
  ['the recorded unit', recordedAmdFeatures],
  ['a unit on bare metal', bareMetalAmdFeatures],
];

describe.each(kinds)('%s', (_title, features) => {
  it('returns what is recorded, and its device reaches the same', () => {
    // The firmware of the recorded machine reports no features.
    const machine = amdMachine({ features, driver: { firmwareFeatures: [0, 0] } });
    const { iommu, frames } = machine;
    const live = frames.liveFrames;
    const domain = iommu.allocPagingDomain('unmanaged');
    expect(domain.pgsizeBitmap).toBe(Number(header?.pgsize_bitmap));
    expect(domain.geometry.apertureLastFrame).toBe((Number(header?.aperture[1]) + 1) / PAGE - 1);
    iommu.attachDevice(domain, DEVICE);
    let looked = 0;
    for (const record of records) {
      const iova = Number(record.iova);
      const size = Number(record.size);
      if (record.op === 'map') {
        expect(iommuMap(domain, dmaAddr(iova), physAddr(Number(record.phys)), size, 3)).toBe(record.ret);
        if (record.ret !== 0) continue;
        const last = Number(record.phys) + size - 1;
        expect([phys(machine, iova), phys(machine, iova + size - 1)]).toEqual([Number(record.phys), last]);
      } else if (record.op === 'unmap') {
        const done = iommuUnmap(domain, dmaAddr(iova), size);
        expect(done).toBe(Number(record.ret));
        if (done > 0) expect([phys(machine, iova), phys(machine, iova + done - 1)]).toEqual([-1, -1]);
      } else {
        looked += 1;
        expect(iommuIovaToPhys(domain, dmaAddr(iova))).toBe(Number(record.phys));
        const seen = phys(machine, iova);
        // Nothing mapped reads as 0 in the record.
        expect(seen === -1 ? 0 : seen).toBe(Number(record.phys));
      }
      expect(offsetWithin(iova, PAGE) === 0 || record.op === 'iova_to_phys').toBe(true);
    }
    expect(looked).toBeGreaterThan(10);
    expect(iommu.counters.errors).toBe(0);
    iommu.detachDevice(DEVICE);
    iommuDomainFree(domain);
    expect([frames.liveFrames, iommu.liveDomainIds]).toEqual([live, 0]);
  });
});
