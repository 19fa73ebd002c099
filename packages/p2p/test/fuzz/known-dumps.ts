// The dumps that are damaged on purpose: recorded machines printed as listings, with and without bytes; texts made up for
// tests; and the published machines where they lie beside the workspace.
// Simplified: long listings are taken as they are, and drawings and topology files as examples.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderLspci, sampleNcclXml, sampleShortListing, sampleTree } from '@sgfree/machine-texts';
import { type FileTree, readTopologyTree } from '@sgfree/topology';

const workspace = fileURLToPath(new URL('../../../..', import.meta.url));
const recorded = join(workspace, 'vectors/kernel/p2p');
const publishedFolder = join(workspace, '../shared/data');

/** A dump, as the lines of its text. */
export interface KnownDump {
  readonly name: string;
  readonly lines: readonly string[];
}

/** A recorded folder of files. */
export const recordedTree = (name: string): FileTree => {
  const folder = join(recorded, name, 'topo');
  return {
    list: (path) => (path === '' ? readdirSync(folder) : undefined),
    read: (path) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : undefined),
    link: () => undefined,
  };
};

/** Folders of the recorded machines. */
export const recordedNames: readonly string[] = readdirSync(recorded).sort();

/** Recorded machines as listings, and the texts of tests. */
export function ownDumps(): KnownDump[] {
  const machines = recordedNames.flatMap((name) => {
    const machine = readTopologyTree(recordedTree(name));
    return [
      { name: `${name}, text`, lines: renderLspci(machine, false).split('\n') },
      { name: `${name}, text and bytes`, lines: renderLspci(machine, true).split('\n') },
    ];
  });
  const samples = { sampleNcclXml, sampleShortListing, sampleTree };
  const drawn = `${sampleTree}\n${sampleShortListing}`;
  return [
    ...machines,
    ...Object.entries(samples).map(([name, text]) => ({ name, lines: text.split('\n') })),
    { name: 'drawing and listing', lines: drawn.split('\n') },
  ];
}

/** Whether the published machines are here. */
export const hasPublished: boolean = existsSync(publishedFolder);

/** A published text. */
export const publishedText = (path: string): string => readFileSync(join(publishedFolder, path), 'latin1');

/** Names of the files in a published folder. */
export const publishedNames = (folder: string): string[] =>
  hasPublished ? readdirSync(join(publishedFolder, folder)).sort() : [];

/** Published machines as texts; none where they are not here. */
export function publishedDumps(): KnownDump[] {
  if (!hasPublished) return [];
  const xml = ['rccl-topo', 'azhpc', 'aws-ofi-nccl', 'gvisor'].flatMap((folder) =>
    publishedNames(folder)
      .filter((name) => name.endsWith('.xml'))
      .map((name) => `${folder}/${name}`),
  );
  const listings = publishedNames('pciutils').map((name) => `pciutils/${name}`);
  const reports = publishedNames('stelline').map((name) => `stelline/${name}`);
  return ['gpud/lspci-vvv', ...listings, ...reports, ...xml].map((name) => ({
    name,
    lines: publishedText(name).split('\n'),
  }));
}
