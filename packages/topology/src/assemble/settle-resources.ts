// The ranges of one function from its two sources: lengths and CPU addresses from text, bus addresses from registers.
// Source followed: PCI Local Bus 3.0, section 6.2.5.1: a register holds the base only; the kernel's table holds both.
// Simplified: where only registers are there, the CPU address is taken to be the same number, as on every x86 machine.

import { configBars, configWindows, sameNumberForCpu } from '../model/config-resources.ts';
import type { DumpedResource, Knowledge } from '../model/dumped-function.ts';
import type { FunctionDraft } from '../readers/function-draft.ts';

const order: readonly DumpedResource['kind'][] = ['bar', 'rom', 'sriov', 'window'];

/** The ranges of a function, in order of kind and number. */
export function settledResources(
  draft: FunctionDraft,
  headerType: Knowledge<number>,
  memoryEnabled: Knowledge<boolean>,
): readonly DumpedResource[] {
  const bytes = [
    ...configBars(draft.config, headerType, memoryEnabled),
    ...configWindows(draft.config, headerType),
  ];
  const left = [...draft.resources];
  const merged = bytes.map((fromBytes) => {
    const at = left.findIndex(({ kind, index }) => kind === fromBytes.kind && index === fromBytes.index);
    const [fromText] = at < 0 ? [] : left.splice(at, 1);
    return mergedResource(fromBytes, fromText);
  });
  return [...merged, ...left].sort(
    (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || a.index - b.index,
  );
}

function mergedResource(bytes: DumpedResource, text: DumpedResource | undefined): DumpedResource {
  return {
    ...bytes,
    base: text?.base ?? sameNumberForCpu(bytes.busBase),
    bytes: bytes.bytes === 'unknown' ? (text?.bytes ?? 'unknown') : bytes.bytes,
    enabled: bytes.enabled === 'unknown' ? (text?.enabled ?? 'unknown') : bytes.enabled,
  };
}
