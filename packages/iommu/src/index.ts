// The newest surface of iommu.
export {};
