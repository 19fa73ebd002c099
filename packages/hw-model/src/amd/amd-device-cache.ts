// AmdDeviceCache: the device table entries a unit has already read, kept until a command drops them.
// Source followed: AMD I/O Virtualization Technology specification 2.4.2 (INVALIDATE_DEVTAB_ENTRY), 2.4.8.
// An entry whose table was changed in memory stays in force here: it is really stale, also one that is not valid.
// Simplified: as many entries as functions exist, so nothing is ever evicted.

import type { AmdDeviceTranslation } from './amd-device-translation.ts';

/**
 * Device table entry cache of one unit, tagged by device id.
 * @public
 */
export class AmdDeviceCache {
  readonly #entries = new Map<number, AmdDeviceTranslation>();

  /** Entries held now. */
  get live(): number {
    return this.#entries.size;
  }

  get(deviceId: number): AmdDeviceTranslation | undefined {
    return this.#entries.get(deviceId);
  }

  set(entry: AmdDeviceTranslation): void {
    this.#entries.set(entry.deviceId, entry);
  }

  invalidate(deviceId: number): void {
    this.#entries.delete(deviceId);
  }

  invalidateAll(): void {
    this.#entries.clear();
  }
}
