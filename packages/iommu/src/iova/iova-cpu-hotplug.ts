// What happens to the range caches when CPUs come and go, when trim work runs, and when the domain goes away.
// Source followed: drivers/iommu/iova.c (iova_cpuhp_dead, iova_depot_work_func, put_iova_domain).
// A CPU that leaves hands its cached ranges back to the tree; fewer CPUs also mean smaller depots.
// Simplified: a call per domain; the kernel's hotplug core calls every domain.

import type { IovaDomain } from './iova-domain.ts';

/**
 * A CPU leaves: its cached ranges go back to the tree.
 * @kernel iova_cpuhp_dead
 * @public
 */
export function iovaCpuhpDead(iovad: IovaDomain, cpu: number): void {
  iovad.rcaches?.cpuOffline(cpu);
}

/**
 * A CPU comes back, with the empty magazines it left behind.
 * @public
 */
export function iovaCpuOnline(iovad: IovaDomain, cpu: number): void {
  iovad.rcaches?.cpuOnline(cpu);
}

/**
 * Runs the trim work of a size class (0 to 5) if it is pending: one depot magazine goes back to the tree when there are
 * more than CPUs online, and the work re-arms itself. False when it was not pending. A domain with a clock does so itself.
 * @kernel iova_depot_work_func
 * @public
 */
export function iovaDepotWorkFunc(iovad: IovaDomain, order: number): boolean {
  return iovad.rcaches?.runDepotWork(order) ?? false;
}

/**
 * The domain goes away: pending trim work is cancelled and cached ranges are forgotten.
 * @kernel put_iova_domain
 * @public
 */
export function putIovaDomain(iovad: IovaDomain): void {
  iovad.rcaches?.discard();
}
