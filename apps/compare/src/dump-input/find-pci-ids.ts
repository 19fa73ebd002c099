// Where the names of devices come from: the file that was asked for, or the database that the distribution maintains.
// Source followed: where pciutils and hwdata put it. No package of this ecosystem ships the database: the one that is
// named after it fetches it from the network while it is installed.
// Simplified: a database of the distribution that cannot be read is as good as none.

import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { InputError } from '../request-list/input-error.ts';
import { unreadable } from '../request-list/read-input.ts';
import { isGzip } from '../trace-input/gzip-header.ts';
import { PciIds } from './pci-ids.ts';

const MOST_BYTES = 2 ** 26;
const EXPECTED = 'a pci.ids database';

/** Where distributions put the database. */
export const PCI_IDS_FILES: readonly string[] = [
  '/usr/share/hwdata/pci.ids',
  '/usr/share/misc/pci.ids',
  '/usr/share/misc/pci.ids.gz',
  '/usr/share/pci.ids',
];

/** The database at `asked`, else the first of `standard` that is there; null for none. Throws {@link InputError}. */
export function findPciIds(asked: string | undefined, standard: readonly string[]): PciIds | null {
  if (asked !== undefined) return askedFor(asked);
  const found = standard.find((path) => existsSync(path));
  if (found === undefined) return null;
  try {
    return new PciIds(textOf(found));
  } catch {
    return null;
  }
}

function askedFor(path: string): PciIds {
  let ids: PciIds;
  try {
    ids = new PciIds(textOf(path));
  } catch (error) {
    throw unreadable(path, error, EXPECTED);
  }
  if (ids.vendorCount === 0) throw new InputError(path, 0, 'no line with a vendor', EXPECTED);
  return ids;
}

function textOf(path: string): string {
  const bytes = readFileSync(path);
  const plain = isGzip(bytes) ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes;
  return new TextDecoder().decode(plain);
}
