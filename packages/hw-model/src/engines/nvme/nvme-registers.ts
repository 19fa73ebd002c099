// The controller registers at the start of BAR 0: capabilities, configuration, status, admin queue addresses.
// Source followed: NVM Express Base Specification 2.0, section 3.1.3, figures 35 to 58.
// Simplified: 4- and 8-byte accesses only; interrupt masks are stored and not acted on; no subsystem reset.

import { type DmaAddr, dmaAddr } from '../../addresses.ts';

/**
 * Register offsets in BAR 0 that a host needs.
 * @public
 */
export const NVME_REGISTER: {
  readonly cap: 0x00;
  readonly vs: 0x08;
  readonly cc: 0x14;
  readonly csts: 0x1c;
  readonly aqa: 0x24;
  readonly asq: 0x28;
  readonly acq: 0x30;
  readonly doorbells: 0x1000;
} = { cap: 0x00, vs: 0x08, cc: 0x14, csts: 0x1c, aqa: 0x24, asq: 0x28, acq: 0x30, doorbells: 0x1000 };

const REGISTER_BYTES = 0x40;
const MASK_SET = 0x0c;
const MASK_CLEAR = 0x10;
const WRITABLE = new Set([MASK_SET, MASK_CLEAR, 0x14, 0x24, 0x28, 0x2c, 0x30, 0x34]);
const VERSION_1_4 = 0x00010400;
const MAX_PAGE_BYTES = 0x10000;
const CSTS_READY = 0x1;
const CSTS_FATAL = 0x2;
const CSTS_SHUTDOWN_COMPLETE = 0x8;

/**
 * Register bytes and their fields. What a write means is the controller's business.
 * @internal
 */
export class NvmeRegisters {
  readonly #view: DataView = new DataView(new ArrayBuffer(REGISTER_BYTES));

  constructor(maxQueueEntries: number) {
    // CAP: MQES (0-based), CQR, TO = 10 s, DSTRD 0; upper half: CSS = NVM command set, MPSMIN 4 KiB, MPSMAX 64 KiB.
    this.#view.setUint32(0, maxQueueEntries - 1 + 0x10000 + 20 * 2 ** 24, true);
    this.#view.setUint32(4, 0x20 + 4 * 2 ** 20, true);
    this.#view.setUint32(NVME_REGISTER.vs, VERSION_1_4, true);
  }

  /** False for an access the registers do not support. */
  read(offset: number, into: Uint8Array): boolean {
    if (!supported(offset, into.length)) return false;
    into.set(new Uint8Array(this.#view.buffer, offset, into.length));
    return true;
  }

  /** Stores the writable dwords of an access; false for an access the registers do not support. */
  write(offset: number, from: Uint8Array): boolean {
    if (!supported(offset, from.length)) return false;
    const source = new DataView(from.buffer, from.byteOffset, from.length);
    for (let at = 0; at < from.length; at += 4) {
      if (WRITABLE.has(offset + at)) this.#store(offset + at, source.getUint32(at, true));
    }
    return true;
  }

  get enabled(): boolean {
    return (this.#view.getUint32(NVME_REGISTER.cc, true) & 1) !== 0;
  }

  /** CC.MPS as bytes. */
  get pageBytes(): number {
    return 2 ** (12 + ((this.#view.getUint32(NVME_REGISTER.cc, true) >>> 7) & 0xf));
  }

  /** CC.MPS lies between CAP.MPSMIN and CAP.MPSMAX. */
  get pageBytesSupported(): boolean {
    return this.pageBytes <= MAX_PAGE_BYTES;
  }

  /** CAP.MQES as a number of entries: the largest I/O queue. */
  get maxQueueEntries(): number {
    return this.#view.getUint16(NVME_REGISTER.cap, true) + 1;
  }

  /** CC.SHN: the host announces a shutdown. */
  get shutdownRequested(): boolean {
    return ((this.#view.getUint32(NVME_REGISTER.cc, true) >>> 14) & 3) !== 0;
  }

  /** CC.IOSQES and IOCQES are 64 and 16 bytes: required before I/O queues are created. */
  get entrySizesSet(): boolean {
    return ((this.#view.getUint32(NVME_REGISTER.cc, true) >>> 16) & 0xff) === 0x46;
  }

  get ready(): boolean {
    return (this.#status & CSTS_READY) !== 0;
  }

  get fatal(): boolean {
    return (this.#status & CSTS_FATAL) !== 0;
  }

  setReady(): void {
    this.#status |= CSTS_READY;
  }

  setFatal(): void {
    this.#status |= CSTS_FATAL;
  }

  setShutdownComplete(): void {
    this.#status |= CSTS_SHUTDOWN_COMPLETE;
  }

  clearStatus(): void {
    this.#status = 0;
  }

  /** Admin submission queue: entries and address; null when they are not usable. */
  get adminSubmission(): { readonly entries: number; readonly base: DmaAddr } | null {
    return this.#queue(0, NVME_REGISTER.asq);
  }

  /** Admin completion queue: entries and address; null when they are not usable. */
  get adminCompletion(): { readonly entries: number; readonly base: DmaAddr } | null {
    return this.#queue(16, NVME_REGISTER.acq);
  }

  get #status(): number {
    return this.#view.getUint32(NVME_REGISTER.csts, true);
  }

  set #status(value: number) {
    this.#view.setUint32(NVME_REGISTER.csts, value, true);
  }

  #queue(shift: number, register: number): { entries: number; base: DmaAddr } | null {
    const entries = ((this.#view.getUint32(NVME_REGISTER.aqa, true) >>> shift) & 0xfff) + 1;
    const low = this.#view.getUint32(register, true);
    const high = this.#view.getUint32(register + 4, true);
    // Bits 11:0 are reserved; addresses of 2^52 and more exist on no bus of the model.
    if (entries < 2 || high >= 2 ** 20) return null;
    return { entries, base: dmaAddr(high * 2 ** 32 + low - (low & 0xfff)) };
  }

  #store(offset: number, value: number): void {
    const mask = this.#view.getUint32(MASK_SET, true);
    if (offset === MASK_SET) this.#storeMask(mask | value);
    else if (offset === MASK_CLEAR) this.#storeMask(mask & ~value);
    else this.#view.setUint32(offset, value, true);
  }

  #storeMask(mask: number): void {
    this.#view.setUint32(MASK_SET, mask, true);
    this.#view.setUint32(MASK_CLEAR, mask, true);
  }
}

function supported(offset: number, bytes: number): boolean {
  return (bytes === 4 || bytes === 8) && offset % bytes === 0 && offset + bytes <= REGISTER_BYTES;
}
