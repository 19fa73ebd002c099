// Where tests find machines: the recorded ones in the workspace, and the published ones beside it where they are there.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const workspace = fileURLToPath(new URL('../../..', import.meta.url));

/** The recorded vectors of the kernel. */
export const recordedRoot: string = join(workspace, 'vectors/kernel');

/** Every recorded machine: its folder, named relative to the vectors. */
export function recordedMachines(): string[] {
  return readdirSync(recordedRoot, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('topo/pci.txt'))
    .map((path) => path.slice(0, -'/pci.txt'.length))
    .sort();
}

/** Published machines and logs; undefined when this checkout stands alone. */
export const publishedRoot: string | undefined = [join(workspace, '../shared/data')].find((path) =>
  existsSync(path),
);

/** Says that published data is missing, in words that reach the test report. */
export const withoutPublished = 'the published machines (../shared/data) are not here: these tests need them';

/** A published text. */
export const published = (path: string): string => readFileSync(join(publishedRoot ?? '', path), 'latin1');

/** Names of the published files of a folder. */
export const publishedFiles = (folder: string): string[] =>
  publishedRoot === undefined ? [] : readdirSync(join(publishedRoot, folder)).sort();
