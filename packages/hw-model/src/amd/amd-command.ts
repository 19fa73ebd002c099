// AmdCommand: the numbers inside command buffer entries, and how much address space an invalidation names.
// Source followed: AMD I/O Virtualization Technology specification 2.4 (commands).
// Simplified: no prefetch, guest-event or virtual-MMIO commands.

/**
 * Opcodes (bits 31:28 of the second word).
 * @public
 */
export const AmdCommand = {
  completionWait: 1,
  invalidateDeviceEntry: 2,
  invalidateIommuPages: 3,
  invalidateIotlbPages: 4,
  invalidateInterruptTable: 5,
  completePprRequest: 7,
  invalidateIommuAll: 8,
} as const;

/**
 * Bits of the first word of COMPLETION_WAIT.
 * @public
 */
export const AmdWaitFlag = { store: 1, interrupt: 2, flush: 4 } as const;

/**
 * Bits of the third word of the commands that name pages.
 * @public
 */
export const AmdPagesFlag = { size: 1, directory: 2, guestNested: 4 } as const;

/**
 * Bytes of a command.
 * @public
 */
export const AMD_COMMAND_BYTES = 16;

/**
 * Base-2 logarithm of the pages that an address with the size bit names: one more than the ones that its page number ends
 * in. 52 and more is the whole space. `low` and `high` are the third and fourth word of the command.
 * @internal
 */
export function amdPagesOrder(low: number, high: number): number {
  if ((low & AmdPagesFlag.size) === 0) return 0;
  const below = ~low >>> 12;
  if (below !== 0) return 32 - Math.clz32(below & -below);
  const above = ~high >>> 0;
  // 20 bits of the page number are in the low word.
  return above === 0 ? 53 : 20 + 32 - Math.clz32(above & -above);
}
