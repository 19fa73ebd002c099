// OtherHostRules: kernels and CPUs that would let the pair pass the root complex.
// Source followed: the host-bridge lists of the known kernels and cpu_supports_p2pdma (drivers/pci/p2pdma.c).
// Simplified: a kernel whose list is not known is never advised.

import type { DumpedFunction } from '@sgfree/topology';
import { calcMapTypeAndDist } from '../calc-map-type.ts';
import { hostBridgeListOf, hostBridgeRowOf } from '../host-bridge-list.ts';
import { HostRules, type P2pCpu } from '../host-rules.ts';
import { type KnownKernel, knownKernels } from '../kernel-version.ts';
import type { CpuChange, KernelVersionChange } from './advice.ts';
import { isBetter, type PairCase } from './pair-case.ts';

/** The first CPU that allows every pair. @internal */
export const firstZen: P2pCpu = { vendor: 'AuthenticAMD', family: 0x17 };

/** Kernels with a better verdict. @internal */
export function otherKernel({ view, provider, client, today, state }: PairCase): KernelVersionChange[] {
  const found = knownKernels
    .map((kernel) => {
      const rules = new HostRules(kernel, state.rules.cpu);
      return { kernel, route: calcMapTypeAndDist(view, provider, client, rules) };
    })
    .filter(({ route }) => isBetter(route, today));
  const first = found[0];
  if (first === undefined || first.route.rule !== 'host-bridge-listed') return [];
  const rows = [...new Set([provider, client])].flatMap((below) => rowAbove(view, below, first.kernel));
  const kernels = found.map(({ kernel }) => kernel);
  return [{ kind: 'kernel-version', route: first.route, kernels, rows }];
}

function rowAbove(
  view: PairCase['view'],
  below: DumpedFunction,
  kernel: KnownKernel,
): KernelVersionChange['rows'] {
  const root = view.rootDevice(below);
  const row = root === 'unknown' ? 'unknown' : hostBridgeRowOf(root, hostBridgeListOf(kernel));
  return row === 'unknown' || row === null ? [] : [{ below, row }];
}

/** A Zen CPU, where the CPU is another one and that decides. @internal */
export function otherCpu({ view, provider, client, today, state }: PairCase): CpuChange[] {
  if (state.rules.cpu === 'unknown') return [];
  const rules = new HostRules(state.rules.kernel, firstZen);
  const route = calcMapTypeAndDist(view, provider, client, rules);
  return isBetter(route, today) ? [{ kind: 'cpu', route, cpu: firstZen }] : [];
}
