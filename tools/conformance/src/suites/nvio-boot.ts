// NvioBoot: how the machine of a request list was booted: which IOMMU with which capabilities, and in which mode the
// kernel used it. Everything comes from the files beside the list: RUN.txt (kernel and emulator command line), dmesg.txt
// (the unit's capability registers as the kernel printed them), topo/iomem and topo/iommu_groups.txt.
// Source followed: Documentation/admin-guide/kernel-parameters.txt (intel_iommu, amd_iommu, iommu, iommu.*); vectors/kernel/README.md.
// Simplified: one unit. Without dmesg.txt its registers are those of the recorded machines with the same switches.

import {
  type PhysRange,
  physAddr,
  recordedVtdCapabilities,
  recordedVtdCapabilitiesCachingMode,
  recordedVtdCapabilitiesScalable,
  type VtdCapabilityRegisters,
} from '@sgfree/hw-model';
import { BrokenHeader, type FileContext } from '../suite.ts';

/** What the kernel was told to do with DMA. */
export type NvioMapping = 'strict' | 'lazy' | 'identity' | 'no-iommu';

/** The boot of one machine. */
export interface NvioBoot {
  readonly unit: 'intel' | 'amd';
  readonly mapping: NvioMapping;
  /** Those of a VT-d unit. */
  readonly capabilities: VtdCapabilityRegisters;
  readonly scalableMode: boolean;
  /** `iommu.forcedac`: no preference for 32-bit addresses. */
  readonly forcedac: boolean;
  readonly cpus: number;
  readonly ram: readonly PhysRange[];
}

const PAGE = 4096;

/** Reads the boot of the machine that a list ran on; throws {@link BrokenHeader} when the files do not tell. */
export function nvioBoot(context: FileContext): NvioBoot {
  const run = context.readInput('RUN.txt');
  if (run === null) throw new BrokenHeader('RUN.txt is missing beside the request list');
  const words = /^kernel_cmdline=(.*)$/m.exec(run)?.[1]?.split(/\s+/);
  const emulator = /^qemu=(.*)$/m.exec(run)?.[1];
  if (words === undefined || emulator === undefined) {
    throw new BrokenHeader('RUN.txt lacks kernel_cmdline= or qemu=');
  }
  const unit = / -device amd-iommu\b/.test(emulator) ? 'amd' : 'intel';
  return {
    unit,
    mapping: mappingOf(words, unit),
    capabilities: registersIn(context.readInput('dmesg.txt') ?? '') ?? registersOf(emulator),
    scalableMode: optionsOf(words, 'intel_iommu').includes('sm_on'),
    forcedac: switchOf(words, 'iommu.forcedac') ?? false,
    cpus: Number(/-smp (?:cpus=)?(\d+)/.exec(emulator)?.[1] ?? '1'),
    ram: ramIn(context.readInput('topo/iomem') ?? ''),
  };
}

/** The comma-separated options of a parameter, those of its last occurrence. */
function optionsOf(words: readonly string[], parameter: string): readonly string[] {
  const last = words.findLast((word) => word.startsWith(`${parameter}=`));
  return last === undefined ? [] : last.slice(parameter.length + 1).split(',');
}

/** A yes-or-no parameter; null when it is not given. */
function switchOf(words: readonly string[], parameter: string): boolean | null {
  const [value] = optionsOf(words, parameter);
  if (value === undefined) return null;
  return /^(1|y|on)/i.test(value);
}

/** The driver of VT-d has to be switched on, that of AMD-Vi can be switched off. */
function mappingOf(words: readonly string[], unit: NvioBoot['unit']): NvioMapping {
  const intel = optionsOf(words, 'intel_iommu');
  const general = optionsOf(words, 'iommu');
  const used = unit === 'amd' ? !optionsOf(words, 'amd_iommu').includes('off') : intel.includes('on');
  if (!used || general.includes('off')) return 'no-iommu';
  const passthrough = switchOf(words, 'iommu.passthrough') ?? general.includes('pt');
  if (passthrough) return 'identity';
  return (switchOf(words, 'iommu.strict') ?? intel.includes('strict')) ? 'strict' : 'lazy';
}

/** CAP and ECAP as the driver printed them when it found the unit. */
function registersIn(kernelLog: string): VtdCapabilityRegisters | null {
  const found = /DMAR: dmar0: reg_base_addr \S+ ver \S+ cap ([0-9a-f]+) ecap ([0-9a-f]+)/.exec(kernelLog);
  if (found === null) return null;
  return { cap: wordsOf(found[1] ?? ''), ecap: wordsOf(found[2] ?? '') };
}

/** A 64-bit register, low word first. */
function wordsOf(digits: string): [number, number] {
  const all = digits.padStart(16, '0');
  return [Number.parseInt(all.slice(-8), 16), Number.parseInt(all.slice(0, -8), 16)];
}

function registersOf(emulator: string): VtdCapabilityRegisters {
  if (/intel-iommu\S*x-scalable-mode=on/.test(emulator)) return recordedVtdCapabilitiesScalable;
  return /intel-iommu\S*caching-mode=on/.test(emulator)
    ? recordedVtdCapabilitiesCachingMode
    : recordedVtdCapabilities;
}

/** Whole pages of RAM, in order. */
function ramIn(iomem: string): PhysRange[] {
  const ram: PhysRange[] = [];
  for (const [, first = '', last = ''] of iomem.matchAll(/^([0-9a-f]+)-([0-9a-f]+) : System RAM$/gm)) {
    const base = Math.ceil(Number.parseInt(first, 16) / PAGE) * PAGE;
    const end = Math.floor((Number.parseInt(last, 16) + 1) / PAGE) * PAGE;
    if (end > base) ram.push({ base: physAddr(base), bytes: end - base });
  }
  if (ram.length === 0) throw new BrokenHeader('topo/iomem shows no System RAM');
  return ram;
}
