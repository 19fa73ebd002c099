// The two configuration headers: type 0 of an endpoint, type 1 of a bridge; register offsets and what is writable.
// Source followed: PCI Express Base Specification 6.0, sections 7.5.1.1 to 7.5.1.3; offsets as in the kernel's pci_regs.h.
// Simplified: no I/O windows, no expansion ROM, no interrupt line; bridges have no BARs of their own.

import type { ConfigSpace } from './config-space.ts';

/** Vendor ID register offset. @internal */
export const PCI_VENDOR_ID = 0x00;
/** Command register offset. @internal */
export const PCI_COMMAND = 0x04;
/** Command bit: the function answers memory requests. @internal */
export const PCI_COMMAND_MEMORY = 0x2;
/** Command bit: the function may issue requests (a bridge: forward them upstream). @internal */
export const PCI_COMMAND_MASTER = 0x4;
/** Status register offset. @internal */
export const PCI_STATUS = 0x06;
/** Status bit: a capability list exists. @internal */
export const PCI_STATUS_CAP_LIST = 0x10;
/** Header type register offset. @internal */
export const PCI_HEADER_TYPE = 0x0e;
/** First base address register. @internal */
export const PCI_BASE_ADDRESS_0 = 0x10;
/** Pointer to the first capability. @internal */
export const PCI_CAPABILITY_LIST = 0x34;
/** Primary bus number of a bridge. @internal */
export const PCI_PRIMARY_BUS = 0x18;
/** Secondary bus number of a bridge. @internal */
export const PCI_SECONDARY_BUS = 0x19;
/** Highest bus number below a bridge. @internal */
export const PCI_SUBORDINATE_BUS = 0x1a;
/** Memory window base of a bridge, bits 15:4 = A31:20. @internal */
export const PCI_MEMORY_BASE = 0x20;
/** Memory window limit of a bridge. @internal */
export const PCI_MEMORY_LIMIT = 0x22;
/** Prefetchable window base of a bridge. @internal */
export const PCI_PREF_MEMORY_BASE = 0x24;
/** Prefetchable window limit of a bridge. @internal */
export const PCI_PREF_MEMORY_LIMIT = 0x26;
/** Upper half of the prefetchable base. @internal */
export const PCI_PREF_BASE_UPPER32 = 0x28;
/** Upper half of the prefetchable limit. @internal */
export const PCI_PREF_LIMIT_UPPER32 = 0x2c;

const COMMAND_WRITABLE = 0x0546;

/**
 * Who a function says it is.
 * @public
 */
export interface FunctionIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  /** 24 bits: base class, sub-class, programming interface. */
  readonly classCode: number;
  readonly revision?: number;
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
}

function presetCommonHeader(config: ConfigSpace, identity: FunctionIdentity, headerType: number): void {
  config.preset(PCI_VENDOR_ID, 2, identity.vendorId);
  config.preset(0x02, 2, identity.deviceId);
  config.preset(0x08, 4, identity.classCode * 256 + (identity.revision ?? 0));
  config.preset(PCI_HEADER_TYPE, 1, headerType);
  permitCommand(config);
}

/** Lets software write the command register. @internal */
export function permitCommand(config: ConfigSpace): void {
  config.permit(PCI_COMMAND, 2, COMMAND_WRITABLE);
}

/** Lets software write the bus numbers and windows of a bridge. @internal */
export function permitBridgeHeader(config: ConfigSpace): void {
  for (const bus of [PCI_PRIMARY_BUS, PCI_SECONDARY_BUS, PCI_SUBORDINATE_BUS]) config.permit(bus, 1, 0xff);
  for (const edge of [PCI_MEMORY_BASE, PCI_MEMORY_LIMIT, PCI_PREF_MEMORY_BASE, PCI_PREF_MEMORY_LIMIT]) {
    config.permit(edge, 2, 0xfff0);
  }
  config.permit(PCI_PREF_BASE_UPPER32, 4, 0xffffffff);
  config.permit(PCI_PREF_LIMIT_UPPER32, 4, 0xffffffff);
  config.permit(0x3e, 2, 0x0fff);
}

/**
 * Writes the type 0 header of an endpoint function.
 * @internal
 */
export function presetEndpointHeader(config: ConfigSpace, identity: FunctionIdentity): void {
  presetCommonHeader(config, identity, 0);
  config.preset(0x2c, 2, identity.subsystemVendorId ?? identity.vendorId);
  config.preset(0x2e, 2, identity.subsystemId ?? identity.deviceId);
}

/**
 * Writes the type 1 header of a bridge, its windows closed (base above limit).
 * @internal
 */
export function presetBridgeHeader(config: ConfigSpace, identity: FunctionIdentity): void {
  presetCommonHeader(config, identity, 1);
  config.preset(PCI_MEMORY_BASE, 2, 0xfff0);
  config.preset(PCI_PREF_MEMORY_BASE, 2, 0xfff1);
  config.preset(PCI_PREF_MEMORY_LIMIT, 2, 0x0001);
  config.preset(PCI_PREF_BASE_UPPER32, 4, 0xffffffff);
  permitBridgeHeader(config);
}
