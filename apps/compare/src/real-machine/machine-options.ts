// MachineOptions: the options of `sgfree compare` that put a real machine in the place of the model's own.
// Source followed: the project's command-line conventions; kernel and CPU as `sgfree p2p` takes them.
// Simplified: one pair of devices a run.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { addDumpOptions, DUMP_SOURCES, type RawDumpOptions } from '../dump-input/dump-options.ts';
import type { DumpOptions } from '../dump-input/open-dump.ts';
import { CPU_CHOICES, type CpuChoice } from '../p2p/cpu-choice.ts';
import { type KernelChoice, kernelChoice, NEWEST_KERNEL } from '../p2p/kernel-choice.ts';
import { InputError } from '../request-list/input-error.ts';

/** Which machine, and who moves data to whom. */
export interface MachineOptions extends DumpOptions {
  readonly topology: string;
  /** Addresses as typed. */
  readonly initiator: string;
  readonly target: string;
  readonly targetBar: number | null;
  readonly kernel: KernelChoice;
  readonly cpu: CpuChoice | undefined;
}

/** The options as commander gives them. */
export interface RawMachineOptions extends RawDumpOptions {
  readonly topology?: string;
  readonly initiator?: string;
  readonly target?: string;
  readonly targetBar?: number;
  readonly kernel?: KernelChoice;
  readonly cpu?: CpuChoice;
}

/** For the help of the command. */
export const MACHINE_EXAMPLES: string = `
  sudo lspci -vvv > machine.txt
  sgfree compare --topology machine.txt --initiator 1a:00.0 --target 19:00.0
                                                    data in a BAR of a device of your own machine

With --topology an NVMe controller of the model stands in the place of --initiator, whatever that function really is; the data lies
in the largest memory BAR of --target, or in --target-bar. Bridges, windows, ACS and addresses are those of the dump. The run is
made with an IOMMU and without.
${DUMP_SOURCES}`;

/** Adds the options to `command`. */
export function addMachineOptions(command: Command): Command {
  return addDumpOptions(command)
    .option('--topology <dump>', 'run on this machine instead: lspci -vvv or -vvvxxxx text or another dump')
    .option('--initiator <bdf>', 'the function in whose place the NVMe controller stands')
    .option('--target <bdf>', 'the function whose BAR the data lies in')
    .addOption(
      new Option('--target-bar <n>', 'number of that BAR (default: the largest memory BAR)').argParser(
        barNumber,
      ),
    )
    .addOption(
      new Option('--kernel <version>', `the kernel that judges (default: ${NEWEST_KERNEL})`).argParser(
        kernel,
      ),
    )
    .addOption(new Option('--cpu <kind>', "the CPU (default: the dump's)").choices([...CPU_CHOICES]));
}

/**
 * The machine asked for; null for none. Throws {@link InputError} when only a part was given, and for a fault that has no
 * place in such a run.
 */
export function machineOptions(
  raw: RawMachineOptions & { readonly requests?: readonly string[] },
  plantsInRam: boolean,
): MachineOptions | null {
  const { topology, initiator, target, targetBar, cpu, pciIds } = raw;
  const given = Object.entries({
    initiator,
    target,
    'target-bar': targetBar,
    kernel: raw.kernel,
    cpu,
    'pci-ids': pciIds,
  });
  const stray = given.find(([, value]) => value !== undefined)?.[0];
  if (topology === undefined) {
    if (stray === undefined) return null;
    throw new InputError(`--${stray}`, 0, 'no --topology', '--topology DUMP beside it');
  }
  if (initiator === undefined || target === undefined) {
    const missing = initiator === undefined ? '--initiator' : '--target';
    throw new InputError(
      '--topology',
      0,
      `no ${missing}`,
      '--initiator and --target: PCI addresses such as 19:00.0',
    );
  }
  if (topology === '-' && raw.requests?.includes('-') === true) {
    throw new InputError('--topology', 0, 'standard input, as for --requests', 'a file for one of them');
  }
  if (plantsInRam)
    throw new InputError(
      '--plant',
      0,
      'a fault that has no place there',
      'forced-bus-address with --topology',
    );
  const judge = raw.kernel ?? kernel(NEWEST_KERNEL);
  const names = pciIds === undefined ? {} : { pciIds };
  return { topology, initiator, target, targetBar: targetBar ?? null, kernel: judge, cpu, ...names };
}

function kernel(text: string): KernelChoice {
  const choice = kernelChoice(text);
  if (choice === undefined) throw new InvalidArgumentError('a kernel version, such as 6.12 or 6.12.117-1');
  return choice;
}

function barNumber(text: string): number {
  if (!/^[0-5]$/.test(text)) throw new InvalidArgumentError('a BAR number from 0 to 5');
  return Number(text);
}
