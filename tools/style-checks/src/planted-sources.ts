// Sources that exist only in memory, to plant violations in; typed like real ones.
// Simplified: they lie below a folder that does not exist, and resolve each other by relative path only.

import ts from 'typescript';
import { type SourceTree, sourceTree } from './source-tree.ts';

const folder = '/planted';
const libraries = new Map<string, ts.SourceFile | undefined>();

/** A tree of the given files (path relative to the workspace, text). */
export function plantedSources(files: Readonly<Record<string, string>>): SourceTree {
  const texts = new Map(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const disk = ts.createCompilerHost(options);
  host.directoryExists = () => true;
  host.fileExists = (path) => texts.has(path) || disk.fileExists(path);
  host.readFile = (path) => texts.get(path) ?? disk.readFile(path);
  host.getSourceFile = (path, settings, ...rest) => {
    const text = texts.get(path);
    if (text !== undefined) return ts.createSourceFile(path, text, settings, true);
    if (!libraries.has(path)) libraries.set(path, disk.getSourceFile(path, settings, ...rest));
    return libraries.get(path);
  };
  return sourceTree(ts.createProgram([...texts.keys()], options, host), folder);
}
