// The way in: a text or a tree of files of any known kind becomes a machine.
// Source followed: the formats are told apart by what they hold, not by file names: tags, lines, folders.
// Simplified: a text is either a topology file of NCCL or any mixture of the others.

import { assembleMachine } from './assemble/assemble-machine.ts';
import type { MachineDump } from './model/machine-dump.ts';
import { shown, TopologyInputError } from './model/topology-input-error.ts';
import type { NameLookup, TitleLookup } from './names/vendor-names.ts';
import { type FileTree, readText } from './readers/file-tree.ts';
import { MachineDraft } from './readers/machine-draft.ts';
import { readNcclXml } from './readers/nccl-xml.ts';
import { isRecordedFolder, readRecordedFolder } from './readers/recorded-folder.ts';
import { readSysfsTree, sysfsTop } from './readers/sysfs-tree.ts';
import { TopologyText } from './readers/topology-text.ts';

/**
 * How to read.
 * @public
 */
export interface TopologyOptions {
  /** Numbers for names, where a listing prints names only (a pci.ids database). */
  readonly lookup?: NameLookup;
  /** Names for numbers, where a source has numbers only (a pci.ids database); undefined for what it does not know. */
  readonly titleOf?: TitleLookup;
}

const knownText =
  'lspci -vvv, lspci -vvvxxxx, lspci -nnk or lspci -tv output, /proc/iomem, or an NCCL topology file';

/**
 * Reads a text: any mixture of `lspci -vvv`, `-vvvxxxx`, `-xxxx`, `-nnk`, `-tv` output and `/proc/iomem`, prose between
 * them allowed; or an NCCL or RCCL topology file. What the text does not show is unknown; see `remarks`.
 * Throws {@link TopologyInputError} for text of no known format, for two machines in one text, and for broken XML.
 * @public
 */
export function readTopologyText(text: string, options: TopologyOptions = {}): MachineDump {
  const machine = new MachineDraft();
  readInto(machine, text, options.lookup);
  return assembleMachine(machine, options.titleOf);
}

function readInto(machine: MachineDraft, text: string, lookup: NameLookup | undefined): void {
  const start = /\S/.exec(text)?.index;
  if (start === undefined) throw new TopologyInputError('empty', { line: 0 }, 'an empty text', knownText);
  if (text[start] === '<' || text.startsWith('\ufeff<')) readNcclXml(machine, text);
  else new TopologyText(machine, lookup).read(text);
  if (machine.functions.size > 0 || machine.iomem.length > 0 || machine.formats.size > 0) return;
  const line = text.slice(0, start).split('\n').length;
  throw new TopologyInputError('unknown-format', { line }, shown(text.slice(start, start + 200)), knownText);
}

/**
 * Reads a tree of files: a copy of `/sys` (with `/proc/iomem` and `/proc/cpuinfo` beside it, if there), or a folder of
 * the recorded vectors. Throws {@link TopologyInputError} when it is neither.
 * @public
 */
export function readTopologyTree(tree: FileTree, options: TopologyOptions = {}): MachineDump {
  const machine = new MachineDraft();
  const top = isRecordedFolder(tree) ? undefined : sysfsTop(tree);
  if (isRecordedFolder(tree)) readRecordedFolder(machine, tree);
  else if (top !== undefined) readSysfsTree(machine, tree, top);
  else readLooseFiles(machine, tree, options.lookup);
  return assembleMachine(machine, options.titleOf);
}

/** A folder of texts: every file that some line reader understands. */
function readLooseFiles(machine: MachineDraft, tree: FileTree, lookup: NameLookup | undefined): void {
  const names = [...(tree.list('') ?? [])].sort();
  for (const name of names) {
    const text = readText(tree, name);
    if (text === undefined || text.trim().startsWith('<')) continue;
    machine.file = name;
    new TopologyText(machine, lookup).read(text);
  }
  if (machine.formats.size > 0) return;
  const found = `a folder with ${shown(names.slice(0, 8).join(', '))}`;
  throw new TopologyInputError(
    'unknown-format',
    { line: 0 },
    found,
    `sys/bus/pci/devices, pci.txt, or files with ${knownText}`,
  );
}
