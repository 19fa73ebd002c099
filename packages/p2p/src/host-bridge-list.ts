// HostBridgeList: the root complexes that Linux trusts to forward requests between peers, told by the first function
// on the root bus.
// Source followed: drivers/pci/p2pdma.c (pci_p2pdma_whitelist, host_bridge_whitelist) of the four known kernels.
// Kept from Linux: the list looks at the first function of the root bus, not at the port above the endpoint
// (p2p-first-device-of-root-bus).
// Simplified: none.

import { type KnownKernel, knownKernels } from './kernel-version.ts';
import type { RootDevice, RouteView } from './route-view.ts';
import { bothOf, eitherOf, oneOf, type Truth } from './truth.ts';

/**
 * One entry of the list.
 * @public
 */
export interface HostBridgeRow {
  readonly vendorId: number;
  /** `any` matches every device of the vendor. */
  readonly deviceId: number | 'any';
  /** True: good only for two functions below the same host bridge. */
  readonly sameHostOnly: boolean;
}

const INTEL = 0x8086;
const GOOGLE = 0x1ae0;
const NVIDIA = 0x10de;

const rowsOf = (vendorId: number, sameHostOnly: boolean, ...devices: number[]): HostBridgeRow[] =>
  devices.map((deviceId) => ({ vendorId, deviceId, sameHostOnly }));

/** What each known kernel added, oldest first; nothing was ever taken out. */
const additions: Readonly<Record<KnownKernel, readonly HostBridgeRow[]>> = {
  '6.1.192': [
    ...rowsOf(INTEL, true, 0x3c00, 0x3c01, 0x2f00, 0x2f01),
    ...rowsOf(INTEL, false, 0x2030, 0x2031, 0x2032, 0x2033, 0x2020, 0x09a2),
  ],
  '6.12.117': [],
  '7.2.13': [
    ...rowsOf(INTEL, false, 0x0b25, 0x0cfe, 0x11fb, 0x1212, 0x1216),
    ...rowsOf(INTEL, false, 0x4940, 0x4942, 0x4944, 0x4946, 0x4948),
    { vendorId: GOOGLE, deviceId: 'any', sameHostOnly: false },
  ],
  '7.3.4': rowsOf(NVIDIA, false, 0x2f95, 0x2f96, 0x2f97, 0x2f98),
};

/**
 * The list of a known kernel.
 * @public
 */
export const hostBridgeListOf = (kernel: KnownKernel): readonly HostBridgeRow[] =>
  knownKernels.slice(0, knownKernels.indexOf(kernel) + 1).flatMap((each) => additions[each]);

/**
 * True when the list lets requests pass between the root complexes above `a` and `b`; `onUnlisted` hears of a host
 * bridge that no row matches, as the kernel's log does.
 * @internal
 * @kernel host_bridge_whitelist
 */
export function hostBridgeWhitelist<F extends object>(
  view: RouteView<F>,
  a: F,
  b: F,
  list: readonly HostBridgeRow[] | 'unknown',
  onUnlisted?: (root: RootDevice) => void,
): Truth {
  const same = view.sameHost(a, b);
  const first = lookUp(view, a, list, onUnlisted);
  const within = first.same;
  if (same === true) return within;
  const across = first.other === false ? false : bothOf(first.other, lookUp(view, b, list, onUnlisted).other);
  return same === false ? across : oneOf(within, across);
}

/**
 * The row that a host bridge matches, null when the kernel finds none; 'unknown' when what is hidden decides.
 * @public
 */
export function hostBridgeRowOf(
  root: RootDevice | null,
  list: readonly HostBridgeRow[],
): HostBridgeRow | null | 'unknown' {
  if (root === null) return null;
  const counts = eitherOf(root.devfn === 0, root.isRootPort);
  for (const row of counts === false ? [] : list) {
    const matches = bothOf(counts, matchesRow(root, row));
    if (matches !== false) return matches === true ? row : 'unknown';
  }
  return null;
}

const matchesRow = (root: RootDevice, row: HostBridgeRow): Truth =>
  bothOf(equals(root.vendorId, row.vendorId), row.deviceId === 'any' || equals(root.deviceId, row.deviceId));

/** What the list says of one host bridge, for peers below it and for a peer below another one. */
interface Listed {
  readonly same: Truth;
  readonly other: Truth;
}

const unlisted: Listed = { same: false, other: false };
const nobodyKnows: Listed = { same: 'unknown', other: 'unknown' };

function lookUp<F extends object>(
  view: RouteView<F>,
  fn: F,
  list: readonly HostBridgeRow[] | 'unknown',
  onUnlisted?: (root: RootDevice) => void,
): Listed {
  const root = view.rootDevice(fn);
  if (root === 'unknown') return nobodyKnows;
  if (root === null || (root.devfn !== 0 && root.isRootPort === false)) return unlisted;
  const found = list === 'unknown' ? nobodyKnows : rowFor(root, list);
  if (found === unlisted) onUnlisted?.(root);
  if (root.devfn === 0 || root.isRootPort === true) return found;
  return { same: oneOf(found.same, false), other: oneOf(found.other, false) };
}

function rowFor(root: RootDevice, list: readonly HostBridgeRow[]): Listed {
  let found: Listed | null = null;
  const alsoMaybe = (row: Listed): Listed =>
    found === null ? row : { same: oneOf(found.same, row.same), other: oneOf(found.other, row.other) };
  for (const row of list) {
    const matches = matchesRow(root, row);
    if (matches === false) continue;
    const listed = { same: true, other: !row.sameHostOnly };
    if (matches === true) return alsoMaybe(listed);
    found = alsoMaybe(listed);
  }
  return alsoMaybe(unlisted);
}

const equals = (value: number | 'unknown', wanted: number): Truth =>
  value === 'unknown' ? 'unknown' : value === wanted;
