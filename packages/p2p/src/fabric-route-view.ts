// FabricRouteView: the live fabric as the route algorithm sees it; every answer is read from configuration bytes now.
// Source followed: drivers/pci/p2pdma.c (pci_upstream_bridge, pci_host_bridge_dev and the read of the ACS control).
// Simplified: a fabric has no virtual functions, so every function sits on the bus it is plugged into.

import { PCI_EXP_TYPE, type PciFunction, pciExpressType } from '@sgfree/hw-model';
import type { RootDevice, RouteView } from './route-view.ts';

const VENDOR_ID = 0x00;
const DEVICE_ID = 0x02;
const ACS_CONTROL = 0x06;

/**
 * Routes over the functions of a live fabric; nothing is ever unknown.
 * @public
 */
export const fabricRouteView: RouteView<PciFunction> = {
  upstream: ({ bus }) => bus.bridge,
  acsControl: ({ acsAt, config }) => (acsAt === 0 ? 'absent' : config.read(acsAt + ACS_CONTROL, 2)),
  sameHost: (a, b) => a.bus.host === b.bus.host,
  rootDevice: ({ bus }): RootDevice | null => {
    const first = bus.host.childBus.functions[0];
    if (first === undefined) return null;
    return {
      vendorId: first.config.read(VENDOR_ID, 2),
      deviceId: first.config.read(DEVICE_ID, 2),
      devfn: first.devfn,
      isRootPort: pciExpressType(first.config) === PCI_EXP_TYPE.rootPort,
    };
  },
};

/**
 * The name of a function in kernel messages and parameters: `domain:bus:device.function`.
 * @public
 * @kernel pci_name
 */
export function pciName({ bus, device, functionNumber }: PciFunction): string {
  const digits = (value: number, count: number): string => value.toString(16).padStart(count, '0');
  const { segment } = bus.host;
  return `${digits(segment, 4)}:${digits(bus.number, 2)}:${digits(device, 2)}.${functionNumber}`;
}
