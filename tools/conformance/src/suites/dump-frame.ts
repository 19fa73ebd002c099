// The frame of a debugfs dump of page tables: a line for each device, and the titles of the columns under it.
// Source followed: vectors/kernel/README.md, "debugfs dumps". A dump of an empty table consists of nothing else.
// Simplified: the address of a device's top table is one of the kernel's: it is a page, and stays the same as long as the
// top table of the model does.

const DEVICE_LINE = /^Device \S+ @0x[0-9a-f]*000$/;
const TITLES = 'IOVA_PFN PML5E PML4E PDPE PDE PTE';

/** True when every device's line is followed by the titles, and titles stand nowhere else. */
export function hasDumpFrame(text: string): boolean {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/).join(' '));
  const devices = lines.flatMap((line, at) => (DEVICE_LINE.test(line) ? [at] : []));
  const titles = lines.flatMap((line, at) => (/^IOVA_PFN\b/.test(line) || line === TITLES ? [at] : []));
  return (
    devices.length > 0 &&
    titles.length === devices.length &&
    titles.every((at, index) => at - 1 === devices[index] && lines[at] === TITLES)
  );
}

/** The address of the top table of `device`, as printed; null when the dump has no section for it. */
export function dumpedTopTable(text: string, device: string): string | null {
  for (const line of text.split('\n')) {
    const [word, name, address] = line.trim().split(/\s+/);
    if (word === 'Device' && name === device && address !== undefined) return address;
  }
  return null;
}
