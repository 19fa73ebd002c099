// Native figures: what the same operation costs in native Linux 7.3.4 C code, in nanoseconds. They were measured on
// another run of this kind of machine; compare them through the yardstick, and only as magnitudes.
// Simplified: one number per operation, without its spread.

/** Nanoseconds per operation of the kernel's C code, by bench case name. */
export const nativeFigures: Readonly<Record<string, number>> = {
  'iova/pair/cached': 8.9,
  'iova/pair/tree': 23,
  'iova/replace/1k': 932,
  'iova/replace/10k': 13_500,
  'iova/replace/100k': 2_580_000,
  'sg/table-build/256-merged': 715,
  'sg/table-build/256-unmerged': 1_708,
  'page-table/map-unmap/4k': 108,
  'page-table/map-unmap/1m-scattered': 1_127,
  'page-table/map-unmap/2m': 129,
  'dma/map-unmap/4k': 128,
  'dma/sg-256/map-unmap': 13_600,
};
