// GpuExchangeInput: where the card and its peers sit, by which way its memory is shared, how much is moved, and what is broken on purpose.
// Source followed: the project's stage 8; the exporters of today (amdgpu, xe) beside it.
// Simplified: one card, one RDMA adapter, one NVMe disk.

/**
 * Where adapter and disk sit, seen from the card: below its switch; below other root ports; below other root ports of a host bridge that
 * Linux does not know; or, with such a bridge, the adapter below the switch and the disk not.
 * @beta
 */
export type GpuExchangePlace = 'switch' | 'host-bridge' | 'refused' | 'mixed';

/**
 * The places in the order of reports.
 * @beta
 */
export const GPU_EXCHANGE_PLACES: readonly GpuExchangePlace[] = ['switch', 'host-bridge', 'refused', 'mixed'];

/**
 * How the card's memory is shared: range lists by mapping type, or the tables of today's exporters.
 * @beta
 */
export type GpuExchangeWayName = 'range-list' | 'amdgpu' | 'xe';

/**
 * The ways, that of stage 8 first.
 * @beta
 */
export const GPU_EXCHANGE_WAYS: readonly GpuExchangeWayName[] = ['range-list', 'amdgpu', 'xe'];

/**
 * Faults that can be put in on purpose, each against one check of the verdict: the disk's driver ignores invalidations, publishes no
 * fences, or does not wait for the copy; the adapter's driver gives its mapping back and does not stop the adapter; the card's driver waits for nobody, or moves nothing; a table crosses; an invalidation of the
 * IOMMU is skipped; a byte is wrong; an importer stays.
 * @beta
 */
export const GPU_EXCHANGE_PLANTS = [
  'deaf',
  'unfenced',
  'hasty',
  'careless',
  'no-wait',
  'still',
  'other-way',
  'skipped-invalidation',
  'wrong-byte',
  'left-attached',
] as const;

/**
 * The name of a fault.
 * @beta
 */
export type GpuExchangePlant = (typeof GPU_EXCHANGE_PLANTS)[number];

/**
 * What a run is made with.
 * @beta
 */
export interface GpuExchangeInput {
  readonly way: GpuExchangeWayName;
  readonly place: GpuExchangePlace;
  /** True: a unit in strict mode translates every device; false: nothing does. */
  readonly iommu: boolean;
  /** Seed of the data and of the order of events. */
  readonly seed: number;
  /** Objects that are shared. Default 3. */
  readonly objects?: number;
  /** Bytes of the first object, a multiple of 4 KiB; each further one has one page more. Default 64 KiB. */
  readonly objectBytes?: number;
  /** How often each object's bytes go from the disk to the peer and others come back. Default 2. */
  readonly rounds?: number;
  /** Times that the card's driver moves an object while it is in use. Default 6. */
  readonly moves?: number;
  readonly plant?: GpuExchangePlant;
}

/** A run's settings, every default filled in. @internal */
export type GpuExchangeSettings = Required<Omit<GpuExchangeInput, 'plant'>> & Pick<GpuExchangeInput, 'plant'>;

const DEFAULTS = { objects: 3, objectBytes: 65536, rounds: 2, moves: 6 } as const;

/** @internal */
export const gpuExchangeSettings = (input: GpuExchangeInput): GpuExchangeSettings => ({
  ...DEFAULTS,
  ...input,
});
