// UntranslatedWay: where the fabric's own registers send a request between two functions that no IOMMU translates.
// Source followed: PCI Express Base Specification 6.0, section 6.12 (ACS): the downstream port where a request enters the
// switch decides; request redirect sends it up, completion redirect is about completions only. p2pdma of Linux takes either for a
// redirect, so that the two may differ.
// Simplified: what an egress control vector says is left open, and so is everything but two ports of one switch.

import { ACS, type PciBridge, type PciFunction } from '@sgfree/hw-model';

/**
 * `switch`: turned round in the common switch; `root`: up to the root complex; `either`: not told here.
 * @public
 */
export type UntranslatedWay = 'switch' | 'root' | 'either';

/** The way from `requester` to a BAR of `target`. @internal */
export function untranslatedWay(requester: PciFunction, target: PciFunction): UntranslatedWay {
  const above = new Set(portsAbove(target));
  const ports = portsAbove(requester);
  const common = ports.findIndex((port) => above.has(port));
  if (common < 0) return 'root';
  const entry = ports[common - 1];
  if (entry?.kind !== 'downstream' || ports[common]?.kind !== 'upstream') return 'either';
  if (entry.acsAt === 0) return 'switch';
  const control = entry.config.read(entry.acsAt + 6, 2);
  if ((control & ACS.egressControl) !== 0) return 'either';
  return (control & ACS.requestRedirect) === 0 ? 'switch' : 'root';
}

/** The bridges above `fn`, the nearest first. */
function portsAbove(fn: PciFunction): PciBridge[] {
  const ports: PciBridge[] = [];
  for (let { bridge } = fn.bus; bridge !== null; { bridge } = bridge.bus) ports.push(bridge);
  return ports;
}
