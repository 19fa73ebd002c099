// `sgfree p2p` on the command line: its options, checked, and its help.
// Source followed: the project's command-line conventions; `pci=` arguments as the kernel's command line has them.
// Simplified: one machine at a time.

import { knownKernels } from '@sgfree/p2p';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Ended, EXIT_TEXT, subCommand } from '../base-command.ts';
import { addDumpOptions, DUMP_SOURCES, type RawDumpOptions } from '../dump-input/dump-options.ts';
import { mayRepeat } from '../option-guard.ts';
import { InputError } from '../request-list/input-error.ts';
import type { World } from '../world.ts';
import { CPU_CHOICES, type CpuChoice } from './cpu-choice.ts';
import { type WantedClass, wantedClass } from './device-selection.ts';
import { type KernelChoice, kernelChoice, NEWEST_KERNEL } from './kernel-choice.ts';
import type { IommuChoice } from './p2p-case.ts';
import { runP2p } from './p2p-command.ts';

/** How the answer is printed. */
export type P2pOutput = 'text' | 'json' | 'dot' | 'mermaid';

/** Options of the command, checked. */
export interface P2pOptions {
  /** Address of the initiator, as typed. */
  readonly from: string | null;
  /** Address of the target, as typed. */
  readonly to: string | null;
  readonly wanted: 'interesting' | 'all' | readonly WantedClass[];
  readonly kernel: KernelChoice;
  readonly cpu: CpuChoice | undefined;
  readonly iommu: IommuChoice;
  readonly whatIf: readonly string[];
  readonly output: P2pOutput;
}

interface RawOptions extends RawDumpOptions {
  readonly live?: true;
  readonly from?: string;
  readonly to?: string;
  readonly all?: true;
  readonly class?: readonly WantedClass[];
  readonly kernel: KernelChoice;
  readonly cpu?: CpuChoice;
  readonly iommu?: 'on' | 'pt' | 'off';
  readonly whatIf?: readonly string[];
  readonly json?: true;
  readonly dot?: true;
  readonly mermaid?: true;
}

const EXAMPLES = `
Examples:
  sudo lspci -vvv > machine.txt; sgfree p2p machine.txt   every GPU, NIC, NVMe drive and accelerator
  sgfree p2p machine.txt --from 1a:00.0 --to 19:00.0      one pair: the way, the bit that decides, what would change it
  sgfree p2p machine.txt --kernel 6.12 --cpu intel        with the rules of another kernel, on another CPU
  sgfree p2p machine.txt --what-if clear-acs-redirect=0000:02:01.0
  sgfree p2p machine.txt --what-if 'disable_acs_redir=0000:02:01.0;0000:00:01.1'
  sgfree p2p machine.txt --what-if 'config_acs=xxx00xx@pci:10b5:8796'
  sgfree p2p --live; sgfree p2p sys.tar.gz                this machine; a copy of another one's /sys
  sgfree p2p machine.txt --dot | dot -Tsvg > machine.svg

Cells: B bus address, H through host bridge, N not supported, Z = H on AMD Zen and N on any other CPU, ? unknown;
then the kernel's distance. The verdict is the same in both directions.
With --from or --to alone that device is shown against all others. An address without a domain must be the only one.

--iommu says how requests through a host bridge are addressed and whether IOMMU groups exist: on = by IOVA, pt = on with
identity domains, by physical address, off = by physical address, no groups. It does not change ACS: the registers are
those of the dump, which a running kernel programmed or left as firmware had them.
--what-if takes clear-acs-redirect=ADDRESS[;ADDRESS...] (RR, CR and EC cleared on the running machine), or a kernel
argument for another boot: disable_acs_redir=DEVICE[;DEVICE...] or config_acs=FLAGS@DEVICE[;FLAGS@DEVICE...].
--kernel knows the host-bridge lists of ${knownKernels.join(', ')} (6.12 means that of its series); any other is unknown.
`;

/** Adds the command to `program`. */
export function registerP2p(program: Command, world: World, ended: Ended): void {
  addDumpOptions(subCommand(program, world, 'p2p'))
    .description(
      'Will one device reach another directly? The verdict of the kernel, from a dump of the machine.',
    )
    .argument('[dump]', 'lspci -vvv or -vvvxxxx text, or another dump of a machine; - for standard input')
    .option('--live', 'this machine instead of a dump')
    .option('--from <bdf>', 'the initiator, which sends the requests')
    .option('--to <bdf>', 'the target, whose memory is read and written')
    .option('--all', 'all endpoint functions, not only GPUs, NICs, NVMe drives and accelerators')
    .addOption(
      mayRepeat(
        new Option(
          '--class <class>',
          'only gpu, nic, nvme, accelerator or a class in hex, such as 0c03; may be given again',
        ).argParser(addClass),
      ),
    )
    .addOption(
      new Option('--kernel <version>', 'the kernel that judges')
        .argParser(kernel)
        .default(kernel(NEWEST_KERNEL), NEWEST_KERNEL),
    )
    .addOption(new Option('--cpu <kind>', "the CPU (default: the dump's)").choices([...CPU_CHOICES]))
    .addOption(new Option('--iommu <mode>', 'whether it translates').choices(['on', 'pt', 'off']))
    .addOption(
      mayRepeat(
        new Option('--what-if <change>', 'answer before and after a change; may be given again').argParser(
          addText,
        ),
      ),
    )
    .addOption(new Option('--json', 'print one JSON document (sgfree/p2p/v1)').conflicts(['dot', 'mermaid']))
    .addOption(new Option('--dot', 'print the machine as a Graphviz graph').conflicts('mermaid'))
    .option('--mermaid', 'print the machine as a Mermaid flowchart')
    .addHelpText('after', EXAMPLES + DUMP_SOURCES + EXIT_TEXT)
    .action(async (path: string | undefined, raw: RawOptions) => {
      const { pciIds } = raw;
      const names = pciIds === undefined ? {} : { pciIds };
      ended(await runP2p(world, sourceOf(path, raw), { ...checked(raw), ...names }));
    });
}

/** The dump, or this machine. Throws {@link InputError} for both and for neither. */
function sourceOf(path: string | undefined, { live }: RawOptions): string {
  if (live !== true && path !== undefined) return path;
  if (live === true && path === undefined) return '/sys';
  const found = live === true ? `--live and ${JSON.stringify(path)}` : 'neither a dump nor --live';
  throw new InputError('p2p', 0, found, 'a dump of a machine, or --live for this one');
}

function checked({
  from,
  to,
  all,
  class: classes,
  iommu,
  json,
  dot,
  mermaid,
  ...raw
}: RawOptions): P2pOptions {
  return {
    from: from ?? null,
    to: to ?? null,
    wanted: all ? 'all' : (classes ?? 'interesting'),
    kernel: raw.kernel,
    cpu: raw.cpu,
    iommu: iommu ?? 'unknown',
    whatIf: raw.whatIf ?? [],
    output: json ? 'json' : dot ? 'dot' : mermaid ? 'mermaid' : 'text',
  };
}

function kernel(text: string): KernelChoice {
  const choice = kernelChoice(text);
  if (choice === undefined) throw new InvalidArgumentError('a kernel version, such as 6.12 or 6.12.117-1');
  return choice;
}

function addClass(text: string, before: readonly WantedClass[] | undefined): readonly WantedClass[] {
  const one = wantedClass(text);
  if (one === undefined) {
    throw new InvalidArgumentError('gpu, nic, nvme, accelerator or two, four or six hex digits');
  }
  return [...(before ?? []), one];
}

const addText = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
];
