// Vendors by the name lspci prints, where text shows no numbers.
// Source followed: the ID database of pciutils, for vendors that the kernel's peer-to-peer and grouping rules name.
// Longer names stand before names that begin them.
// Simplified: a short list; whoever has the whole database passes a NameLookup to the readers.

const names: readonly (readonly [string, number])[] = [
  ['Advanced Micro Devices, Inc. [AMD/ATI]', 0x1002],
  ['Advanced Micro Devices, Inc. [AMD]', 0x1022],
  ['Intel Corporation', 0x8086],
  ['NVIDIA Corporation', 0x10de],
  ['Mellanox Technologies', 0x15b3],
  ['Google, Inc.', 0x1ae0],
  ['Broadcom Inc. and subsidiaries', 0x14e4],
  ['Broadcom / LSI', 0x1000],
  ['PLX Technology, Inc.', 0x10b5],
  ['PMC-Sierra Inc.', 0x11f8],
  ['Microchip Technology / SMSC', 0x1055],
  ['Amazon.com, Inc.', 0x1d0f],
  ['Annapurna Labs Ltd.', 0x1c36],
  ['Samsung Electronics Co Ltd', 0x144d],
  ['Red Hat, Inc.', 0x1b36],
  ['Hygon', 0x1d94],
  ['Qualcomm', 0x17cb],
  ['Ampere Computing, LLC', 0x1def],
  ['Loongson Technology LLC', 0x0014],
  ['Zhaoxin', 0x1d17],
  ['ASPEED Technology, Inc.', 0x1a03],
  ['ASMedia Technology Inc.', 0x1b21],
];

/**
 * Numbers for the names of a listing that prints names only; what it does not know it leaves out.
 * @public
 */
export type NameLookup = (
  title: string,
) => { readonly vendorId?: number; readonly deviceId?: number } | undefined;

/**
 * What people call the device with these numbers, or undefined.
 * @public
 */
export type TitleLookup = (vendorId: number, deviceId: number) => string | undefined;

const unnamedDevice = / Device ([0-9a-f]{4})$/;

/** The numbers of a title such as `Intel Corporation Device 09a2`, as far as it tells them. */
export function idsOfTitle(
  title: string,
  lookup: NameLookup | undefined,
): { vendorId?: number; deviceId?: number } {
  const found = lookup?.(title);
  const vendorId = found?.vendorId ?? vendorOfTitle(title);
  // The database has no name for this device, so lspci prints its number.
  const printed = unnamedDevice.exec(title)?.[1];
  const deviceId = printed === undefined ? found?.deviceId : Number.parseInt(printed, 16);
  return { ...(vendorId !== undefined && { vendorId }), ...(deviceId !== undefined && { deviceId }) };
}

function vendorOfTitle(title: string): number | undefined {
  // 1b36 and 1af4 both belong to Red Hat.
  if (title.startsWith('Red Hat, Inc. Virtio')) return 0x1af4;
  const known = names.find(([name]) => title.startsWith(`${name} `) || title === name)?.[1];
  if (known !== undefined) return known;
  const printed = /^Vendor ([0-9a-f]{4}) /.exec(title)?.[1];
  return printed === undefined ? undefined : Number.parseInt(printed, 16);
}
