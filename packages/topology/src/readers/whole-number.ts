// Whole numbers as the kernel prints them into /sys and /proc: `0x8086`, `1`; anything else is no number.
// Source followed: the printf formats of sysfs attributes: hexadecimal with 0x, decimal without.
// `Number('')` is 0 and a device 0 is a fact that nobody stated: a damaged file must leave the fact open instead.
// Simplified: no signs; the -1 of numa_node means "none", and so does everything else that is refused here.

const form = /^(?:0x[0-9a-f]{1,16}|[0-9]{1,15})$/i;

/** The number, when the text is one and not above `most`; else undefined. */
export function wholeNumber(
  text: string | undefined,
  most: number = Number.POSITIVE_INFINITY,
): number | undefined {
  if (text === undefined || !form.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}
