// GRow: a row of the kernel's tests of iommufd as data: its key, the test's name, and what each step answers.
// Source followed: selftests/iommu/iommufd.c of Linux 7.3.4.
// Simplified: none.

/** An address, a count, bytes, 'ok', or an errno by name. */
export type GAnswer = number | string;

/** A row that a play in `g-suite` carries out step by step. */
export interface GRow {
  /** Stable; one test begins with it. */
  readonly key: string;
  /** The kernel's name of the test. */
  readonly test: string;
  /** Without a device; absent where the kernel skips it. */
  readonly noDomain?: readonly GAnswer[];
  /** With mock devices. */
  readonly mock?: readonly GAnswer[];
  /** With two of them, where that differs. */
  readonly two?: readonly GAnswer[];
}

/** A row that nothing here can carry out. */
export interface UnmodelledRow {
  readonly key: string;
  readonly test: string;
  readonly why: string;
}
