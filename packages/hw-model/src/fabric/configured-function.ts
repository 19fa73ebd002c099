// ConfiguredFunction: a function whose registers already hold what firmware and a kernel wrote, as a dump shows them.
// Source followed: PCI Express Base Specification 6.0, sections 7.5.1 (headers), 7.5.3 (Device Control) and 7.7.11 (ACS):
// which bits of them software may still change.
// Simplified: what the bytes do not decide (what stands behind a BAR, how large it is) is told beside them.

import type { PciBusAddr } from '../addresses.ts';
import { acsOffset, egressVectorDwords } from './access-control-services.ts';
import { findCapability } from './capability-list.ts';
import { permitBridgeHeader, permitCommand } from './config-header.ts';
import { CONFIG_SPACE_BYTES, ConfigSpace } from './config-space.ts';
import type { BarSpec } from './pci-bar.ts';
import type { PortKind } from './pci-bridge.ts';
import { PCI_CAP_ID_EXP } from './pci-express-capability.ts';

/**
 * A BAR that stands at its address.
 * @public
 */
export interface ConfiguredBar extends BarSpec {
  /** Aligned to the size of the BAR. */
  readonly address: PciBusAddr;
}

/**
 * A function as it was left.
 * @public
 */
export interface ConfiguredFunctionSpec {
  readonly name: string;
  /** 0 to 31. */
  readonly device: number;
  /** 0 to 7. */
  readonly functionNumber: number;
  /** 64, 256 or 4096 configuration bytes. The registers of `bars` are written over, all others kept. */
  readonly bytes: Uint8Array;
  /** Memory BARs that answer; a base address register without one answers nothing. */
  readonly bars?: readonly ConfiguredBar[];
}

/**
 * A bridge as it was left: bus numbers and windows stand in its bytes.
 * @public
 */
export interface ConfiguredBridgeSpec extends Omit<ConfiguredFunctionSpec, 'bars'> {
  readonly kind: PortKind;
}

const DEVICE_CONTROL = 0x08;
const ACS_CAPABILITY = 4;
const ACS_CONTROL = 6;
const ACS_EGRESS_VECTOR = 8;

/** The bytes with the bits that software may change. @internal */
export function configuredSpace(bytes: Uint8Array, isBridge: boolean): ConfigSpace {
  const config = new ConfigSpace(bytes);
  permitCommand(config);
  if (isBridge) permitBridgeHeader(config);
  const express = findCapability(config, PCI_CAP_ID_EXP);
  if (express !== 0) config.permit(express + DEVICE_CONTROL, 2, 0x7fff);
  const acs = acsOffset(config);
  if (acs === 0) return config;
  const capability = config.read(acs + ACS_CAPABILITY, 2);
  config.permit(acs + ACS_CONTROL, 2, capability & 0x7f);
  for (let dword = 0; dword < egressVectorDwords(capability); dword += 1) {
    const at = acs + ACS_EGRESS_VECTOR + 4 * dword;
    if (at < CONFIG_SPACE_BYTES) config.permit(at, 4, 0xffffffff);
  }
  return config;
}
