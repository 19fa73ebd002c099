// What the style checks read: every TypeScript source of the workspace, typed as `npm run check:types` types it.
// Simplified: one program over packages, apps and tools; declaration files and what is built are left out.

import { dirname, relative } from 'node:path';
import ts from 'typescript';

/** One source file under its path relative to the workspace. */
export interface StyleSource {
  readonly path: string;
  readonly file: ts.SourceFile;
}

/** The sources with their types. */
export interface SourceTree {
  readonly sources: readonly StyleSource[];
  readonly checker: ts.TypeChecker;
}

/** What a check found: a place and a sentence. */
export interface StyleFinding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** Reads the tree of the project file `configPath`. */
export function readSourceTree(configPath: string): SourceTree {
  const folder = dirname(configPath);
  const config = ts.getParsedCommandLineOfConfigFile(
    configPath,
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
      },
    },
  );
  if (config === undefined) throw new Error(`${configPath} cannot be read`);
  return sourceTree(ts.createProgram(config.fileNames, config.options), folder);
}

/** The tree of a program whose files lie below `folder`. */
export function sourceTree(program: ts.Program, folder: string): SourceTree {
  const sources = program
    .getSourceFiles()
    .filter((file) => !file.isDeclarationFile)
    .map((file) => ({ path: relative(folder, file.fileName).replaceAll('\\', '/'), file }))
    .filter(({ path }) => /^(?:packages|apps|tools)\//.test(path) && !path.includes('node_modules/'));
  return { sources, checker: program.getTypeChecker() };
}

/** A finding at a node. */
export function findingAt(source: StyleSource, node: ts.Node, message: string): StyleFinding {
  const { line } = source.file.getLineAndCharacterOfPosition(node.getStart(source.file));
  return { path: source.path, line: line + 1, message };
}

/** Whether a path is a test of a package, an app or a tool. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || /^(?:packages|apps|tools)\/[^/]+\/test\//.test(path);
}
