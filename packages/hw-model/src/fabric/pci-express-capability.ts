// The PCI Express capability (what kind of port a function is, how large its TLPs are) and power management.
// Source followed: PCI Express Base Specification 6.0, section 7.5.3; PCI Power Management 1.2, section 3.2.
// Simplified: link, slot and root registers are zero but for the port number; the power state is always D0.

import { InternalError } from '../internal-error.ts';
import { addCapability, findCapability } from './capability-list.ts';
import type { ConfigSpace } from './config-space.ts';

/** Capability id of PCI Express. @internal */
export const PCI_CAP_ID_EXP = 0x10;
const PCI_CAP_ID_PM = 0x01;
const DEVICE_CAP = 0x04;
const DEVICE_CONTROL = 0x08;
const LINK_CAP = 0x0c;
const MIN_TLP_BYTES = 128;

/**
 * Device/port type: bits 7:4 of the PCI Express capabilities register.
 * @public
 */
export const PCI_EXP_TYPE: {
  readonly endpoint: 0;
  readonly rootPort: 4;
  readonly upstream: 5;
  readonly downstream: 6;
  readonly rootComplexIntegratedEndpoint: 9;
} = { endpoint: 0, rootPort: 4, upstream: 5, downstream: 6, rootComplexIntegratedEndpoint: 9 };

/**
 * TLP sizes of a function, in bytes: 128, 256, ... 4096.
 * @public
 */
export interface TlpSizes {
  /** Max_Payload_Size: largest data part of a write. */
  readonly maxPayloadBytes: number;
  /** Max_Read_Request_Size: most bytes one read asks for. */
  readonly maxReadRequestBytes: number;
}

function sizeCode(bytes: number): number {
  const code = Math.log2(bytes / MIN_TLP_BYTES);
  if (!Number.isInteger(code) || code < 0 || code > 5) throw new InternalError(`TLP size of ${bytes} bytes`);
  return code;
}

/**
 * Adds the power management and PCI Express capabilities.
 * @internal
 */
export function addPciExpressCapability(
  config: ConfigSpace,
  portType: number,
  sizes: TlpSizes,
  portNumber = 0,
): void {
  addCapability(config, PCI_CAP_ID_PM, 0x40, 8);
  config.preset(0x42, 2, 3);
  config.permit(0x44, 2, 0x0003);
  const at = addCapability(config, PCI_CAP_ID_EXP, 0x50, 60);
  config.preset(at + 2, 2, portType * 16 + 2);
  config.preset(at + DEVICE_CAP, 4, sizeCode(sizes.maxPayloadBytes));
  config.preset(
    at + DEVICE_CONTROL,
    2,
    sizeCode(sizes.maxPayloadBytes) * 0x20 + sizeCode(sizes.maxReadRequestBytes) * 0x1000,
  );
  config.permit(at + DEVICE_CONTROL, 2, 0x7fff);
  config.preset(at + LINK_CAP, 4, portNumber * 2 ** 24);
}

/**
 * Device/port type of a function, or -1 when it is not a PCI Express function.
 * @public
 */
export function pciExpressType(config: ConfigSpace): number {
  const at = findCapability(config, PCI_CAP_ID_EXP);
  return at === 0 ? -1 : (config.read(at + 2, 2) >> 4) & 0xf;
}

/**
 * Port number of a switch or root port (the bit of the ACS egress control vector that stands for it).
 * @internal
 */
export function portNumberOf(config: ConfigSpace): number {
  const at = findCapability(config, PCI_CAP_ID_EXP);
  return at === 0 ? 0 : config.read(at + LINK_CAP + 3, 1);
}

/**
 * TLP sizes set in Device Control now; 128 and 512 bytes for a function without the capability.
 * @public
 */
export function tlpSizes(config: ConfigSpace): TlpSizes {
  const at = findCapability(config, PCI_CAP_ID_EXP);
  if (at === 0) return { maxPayloadBytes: MIN_TLP_BYTES, maxReadRequestBytes: 512 };
  const control = config.read(at + DEVICE_CONTROL, 2);
  // Codes 6 and 7 are reserved: read as the largest legal size.
  const bytes = (code: number): number => MIN_TLP_BYTES * 2 ** Math.min(code, 5);
  return {
    maxPayloadBytes: bytes((control >> 5) & 7),
    maxReadRequestBytes: bytes((control >> 12) & 7),
  };
}
