// ComparableLine: a trace line without the values that differ from boot to boot, and without the domain id where nothing
// tells which one the device's domain has.
// Source followed: hardware-and-platform.md of the kernel notes, 1.6 (bits 31:16 of a command's first word are the domain
// id) and 7.2 (text of the events).
// Simplified: without a known domain id the lines of every domain look alike.

const FLUSHED_DOMAIN = /\bdid \d+/;
const COMMAND = /^(qi_submit: (\w+) \S+: )0x([0-9a-f]+) /;
/** Commands that name a domain. */
export const DOMAIN_DESCRIPTORS: ReadonlySet<string> = new Set([
  'iotlb_inv',
  'p_iotlb_inv',
  'cc_inv',
  'pc_inv',
]);

/** Domain id in the first word of a command, given in hex digits. */
export const domainIdIn = (digits: string): number =>
  Math.floor(Number.parseInt(digits.slice(-8), 16) / 0x10000);

/** What stands for a value that differs from boot to boot; the line begins with the name of its event. */
export function comparableText(text: string, knowsDomain: boolean): string {
  if (text.startsWith('dma_alloc') || text.startsWith('dma_free')) {
    return text.replace(/\bvirt_addr=\S+/, 'virt_addr=*').replace(/\bflags=\S+/, 'flags=*');
  }
  if (knowsDomain) return text;
  if (text.startsWith('cache_tag_flush_range')) return text.replace(FLUSHED_DOMAIN, 'did *');
  return text.replace(COMMAND, (whole, start: string, type: string, word: string) => {
    if (!DOMAIN_DESCRIPTORS.has(type)) return whole;
    const digits = word.padStart(16, '0');
    return `${start}0x${digits.slice(0, 8)}****${digits.slice(12)} `;
  });
}
