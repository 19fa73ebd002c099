// The comparison on a real machine as one JSON document, schema sgfree/compare-machine/v1.
// Source followed: the project's command-line conventions: versioned schema, addresses as hex strings, no timestamps.
// Simplified: the reports go in as they are; their fields are documented at StageReport.

import { addOffset, hex } from '@sgfree/hw-model';
import type { DumpedFunction } from '@sgfree/topology';
import { deviceName, idText } from '../p2p/device-words.ts';
import type { MachineComparison } from './machine-run.ts';

/** Name and version of the document's schema. */
export const MACHINE_SCHEMA = 'sgfree/compare-machine/v1';

/** The document, ready to print. */
export function machineDocument(comparison: MachineComparison, seed: number): string {
  const { pair, site, source, ios, iosInList, bytes, variants, verdict } = comparison;
  const { route, options, cpu } = pair;
  const { base, bytes: ramBytes } = site.kernelRam;
  const document = {
    schema: MACHINE_SCHEMA,
    topology: pair.source,
    kernel: options.kernel.version,
    cpu: cpu.cpu === 'unknown' ? null : { ...cpu.cpu, from: cpu.from },
    initiator: { ...deviceOf(pair.initiator), plays: 'nvme-controller', registersBar: site.registersBar },
    target: { ...deviceOf(pair.target), bar: site.bar, barBytes: site.barBytes },
    route: { mapType: route.mapType, distance: route.distance, rule: route.rule },
    kernelRam: { start: hex(base), last: hex(addOffset(base, ramBytes - 1)) },
    assumed: site.assumed,
    seed,
    requests: { source, ios, iosInList, bytes },
    variants: variants.map(({ iommu, reports, verdict: own }) => ({ iommu, stages: reports, verdict: own })),
    verdict,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

const deviceOf = (fn: DumpedFunction): object => ({
  address: fn.name,
  vendor: idText(fn.vendorId),
  device: idText(fn.deviceId),
  name: deviceName(fn),
});
