// The house of the design: which floor each package stands on. A package imports only from lower floors.
// Source followed: the table of floors in the design; packages of one floor do not know each other.
// A package that has no floor here is an error, so that a new one cannot slip past the rule.
// Simplified: `apps/*` are floor 8 as a whole; `tools/*` stand outside the house and may import any package.

/** The floor of every package folder, the lowest first. */
export const floorTable: Readonly<Record<string, number>> = {
  'hw-model': 0,
  mm: 1,
  trace: 1,
  topology: 1,
  iommu: 2,
  p2p: 2,
  'dma-core': 3,
  'dma-sg': 4,
  'dma-iova': 4,
  'dma-buf': 5,
  'vfio-dmabuf': 6,
  rdma: 6,
  iommufd: 6,
  'gpu-driver': 6,
  block: 6,
  roadmap: 7,
};

/** What the readers of floor 1 know besides their own package. */
export const onlyImports: Readonly<Record<string, readonly string[]>> = {
  trace: ['hw-model'],
  topology: ['hw-model'],
};

/** The packages that `name` may import. */
export function allowedImports(name: string): string[] {
  const floor = floorTable[name];
  if (floor === undefined) return [];
  return onlyImports[name]?.slice() ?? Object.keys(floorTable).filter((other) => below(other, floor));
}

function below(name: string, floor: number): boolean {
  const own = floorTable[name];
  return own !== undefined && own < floor;
}
