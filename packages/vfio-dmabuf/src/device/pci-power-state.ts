// PciPowerState: how awake a function is.
// Source followed: PCI Power Management 1.2, section 5.4; numbers as in include/linux/pci.h (pci_power_t).
// Simplified: no D3cold.

/**
 * A power state: D0 to D2, D3hot = 3.
 * @public
 */
export type PciPowerState = 0 | 1 | 2 | 3;

/** The state in which memory stops answering. @internal */
export const PCI_D3HOT = 3;
