// The options with which every command that reads a dump is told where names come from.
// Source followed: the project's command-line conventions.
// Simplified: none.

import type { Command } from 'commander';

/** The options as commander gives them. */
export interface RawDumpOptions {
  readonly pciIds?: string;
}

/** Adds them to `command`. */
export function addDumpOptions(command: Command): Command {
  return command.option(
    '--pci-ids <file>',
    "names of devices: a pci.ids database (default: the distribution's, where there is one)",
  );
}

/** For the help of a command that reads a dump. */
export const DUMP_SOURCES = `
A dump is a text (lspci -vvv, -vvvxxxx, -nnk or -tv output, an NCCL or RCCL topology file, /proc/iomem beside them), a copy of /sys
as a folder or a tar archive, or /sys itself for this machine; gzip and bzip2 are unpacked. Run lspci as root: without that,
capabilities are hidden, and what is hidden is unknown.
`;
