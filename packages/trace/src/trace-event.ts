// TraceEvent: one line of kernel trace text, understood.
// Source followed: include/trace/events/{dma,iommu,swiotlb}.h and drivers/iommu/intel/trace.h, print formats.
// The reader fills one object over and over: whoever keeps something copies it. A field that the event does not have
// holds the neutral value given at the field, so that the object never changes its shape.
// Simplified: addresses and sizes end at 2^52, as everywhere in the model; a line with a larger one counts as absurd, but
// for 2^64 - 1, which is -1, and for the address of a fault, which may be anything (addressText). Times are exact for 104 days after the clock's start and rounded (by 256 ns at most) later.

/**
 * Direction as the kernel prints it; empty when the line has none.
 * @public
 */
export type TraceDirection = 'BIDIRECTIONAL' | 'TO_DEVICE' | 'FROM_DEVICE' | 'NONE' | '';

/**
 * The system an event belongs to; `console` stands for kernel log lines found among the trace, `marker` for
 * `tracing_mark_write` (and `print`), `other` for events that the reader does not take apart.
 * @public
 */
export type TraceSystem = 'dma' | 'iommu' | 'swiotlb' | 'intel_iommu' | 'marker' | 'console' | 'other';

/**
 * One event. All sizes are bytes, all addresses plain numbers; 2^64 - 1 reads as -1.
 * @public
 */
export class TraceEvent {
  /** Line of the input, from 1. */
  line = 0;
  system: TraceSystem = 'other';
  /**
   * Name without its system, e.g. `map`, `dma_map_phys`, `qi_submit`; `tracing_mark_write` of markers; of console lines
   * `dmar_fault`, `swiotlb_full`, and for AMD-Vi `amd_` with the name of the logged event, e.g. `amd_io_page_fault`,
   * `amd_invalid_device_request`.
   */
  name = '';
  /** Nanoseconds of the trace clock (ticks for clocks without a point); -1 when the line has no time. */
  time = -1;
  /** -1 when the line does not say. */
  cpu = -1;
  /** `comm-pid` as printed, e.g. `nvio-987`; empty when the line does not say. */
  task = '';
  /** The device of the event, e.g. `0000:01:00.0`; empty when it names none. */
  device = '';
  direction: TraceDirection = '';
  /** Attribute names joined by `|`, as printed. */
  attrs = '';
  /**
   * dma_addr of dma events and the first IOVA of iommu events, fault and swiotlb addresses; -1 = mapping error. Faults
   * only: -2 = an address of 2^52 or more that is not all ones; it stands in {@link TraceEvent.addressText}.
   */
  dmaAddr = -1;
  /** The address of a fault whose `dmaAddr` is -2, exact: `0x` and 14 to 16 digits, e.g. `0xffff888012345000`; else empty. */
  addressText = '';
  /** phys_addr, paddr; -1 when there is none. */
  physAddr = -1;
  /** Bytes asked for (of `map`: mapped). */
  size = 0;
  /** `unmapped_size` of `unmap`. */
  unmappedSize = 0;
  /** virt_addr as printed; empty when there is none. */
  virtAddr = '';
  /** dma_map_sg: entries asked for and listed, segments made and listed; lists of other events count as full. */
  fullNents = 0;
  nents = 0;
  fullEnts = 0;
  ents = 0;
  truncated = false;
  /** The lists; their lengths are those of the event. */
  readonly dmaAddrs: number[] = [];
  readonly sizes: number[] = [];
  readonly physAddrs: number[] = [];
  /**
   * `err` of dma_map_sg_err (negative), `flags` of io_page_fault and of AMD-Vi console faults, fault reason of dmar_fault (0: not
   * said), `ref` of cache_tag events, number of prq_report.
   */
  code = 0;
  /** Group number of add_ and remove_device; -1 when there is none. */
  group = -1;
  /** Driver name of io_page_fault and console lines, IOMMU unit of intel_iommu events (`dmar0`); empty when there is none. */
  unit = '';
  /** `type` of cache_tag events, descriptor type of qi_submit, `DMA Read` or `DMA Write` of dmar_fault. */
  type = '';
  /** Domain id of cache_tag events and AMD console faults; -1 when there is none. */
  domainId = -1;
  /** -1 when there is none. */
  pasid = -1;
  /** The flushed range of cache_tag_flush_range (both inclusive), the block and its log2 of pages. */
  rangeStart = -1;
  rangeLast = -1;
  blockAddr = -1;
  order = -1;
  /** qi_submit: low and high 32 bits of qw0, qw1, qw2, qw3. */
  readonly words: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  /** swiotlb_bounced: the device's mask (-1 from 2^52 on), and whether bouncing was forced. */
  dmaMask = 0;
  forced = false;
  /** swiotlb_full: slots of the pool, and how many were used; -1 when there is none. */
  slots = -1;
  usedSlots = -1;
  /** GFP flags of allocations as printed. */
  gfp = '';
  /** `pages` of the 6.12 form of cache_tag_flush_range; -1 when there is none. */
  pages = -1;
  /** Text of markers, events that are not taken apart, and console lines. */
  text = '';
}
