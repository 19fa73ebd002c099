// A read-only tree of files, however it is stored: a folder, an archive, or something a test made up.
// Source followed: what the readers need of /sys: names in a folder, bytes of a file, where a link points.
// Opening folders and archives is the business of programs; a browser can hand in files that a person dropped.
// Simplified: paths are relative, with `/` between names and no `.` or `..` in them; the top is ''.

/**
 * A tree of files to read a machine from.
 * @public
 */
export interface FileTree {
  /** Names in a folder (links included), or undefined when there is no such folder. */
  list(path: string): readonly string[] | undefined;
  /** All bytes of a file, or undefined when there is none or it cannot be read. */
  read(path: string): Uint8Array | undefined;
  /** What a symbolic link holds, as stored, or undefined when the name is none. */
  link(path: string): string | undefined;
}

/** The bytes of a file as text, one character per byte: what /sys and /proc hold is ASCII. */
export function readText(tree: FileTree, path: string): string | undefined {
  const bytes = tree.read(path);
  if (bytes === undefined) return undefined;
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  }
  return parts.join('');
}

/** Joins a folder and a name. */
export const under = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** Where a link in `folder` points, inside the tree; undefined when it leaves it. */
export function resolveLink(folder: string, target: string): string | undefined {
  if (target.startsWith('/')) return target.slice(1);
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of target.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/** The last name of a path. */
export const lastName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
