// One run of API Extractor for one entry: the text of its report, and what the report must not be committed with.
// Source followed: API Extractor's documentation; it takes one entry a run, so all runs share one compiler state.
// A missing release tag, a symbol that is used but not exported and a broken TSDoc comment are errors.
// Simplified: no rolled-up declarations and no doc model; members of a class need no TSDoc, exported symbols do.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
  type IConfigFile,
} from '@microsoft/api-extractor';
import { TSDocConfigFile } from '@microsoft/tsdoc-config';
import type { PackageEntry } from './package-entries.ts';

/** The report of one entry. */
export interface ExtractedReport {
  readonly text: string;
  readonly problems: readonly string[];
}

const refused = { logLevel: ExtractorLogLevel.Error, addToApiReportFile: false } as const;
const silent = { logLevel: ExtractorLogLevel.None } as const;

function configOf(folder: string, entry: PackageEntry, output: string): ExtractorConfig {
  const projectFolder = join(folder, 'packages', entry.packageName);
  const configObject: IConfigFile = {
    projectFolder,
    mainEntryPointFilePath: entry.declarations,
    newlineKind: 'lf',
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          module: 'nodenext',
          moduleResolution: 'nodenext',
          target: 'es2023',
          lib: ['es2023'],
          types: [],
          strict: true,
          skipLibCheck: true,
        },
        files: [entry.declarations],
      },
    },
    apiReport: {
      enabled: true,
      reportFileName: `${entry.entry}.api.md`,
      reportFolder: output,
      reportTempFolder: join(output, 'temp'),
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      compilerMessageReporting: { default: refused },
      extractorMessageReporting: {
        default: refused,
        'ae-undocumented': silent,
        'ae-internal-missing-underscore': silent,
      },
      tsdocMessageReporting: { default: refused },
    },
  };
  return ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: join(projectFolder, 'api-extractor.json'),
    packageJsonFullPath: join(projectFolder, 'package.json'),
    tsdocConfigFile: TSDocConfigFile.loadFile(join(folder, 'tsdoc.json')),
  });
}

/** Extracts the report of each entry; `output` is a folder for what API Extractor writes. */
export function extractReports(
  folder: string,
  entries: readonly PackageEntry[],
  output: string,
): ReadonlyMap<PackageEntry, ExtractedReport> {
  const configs = entries.map((entry) => {
    const entryOutput = join(output, entry.packageName, entry.entry);
    mkdirSync(join(entryOutput, 'temp'), { recursive: true });
    return { entry, entryOutput, config: configOf(folder, entry, entryOutput) };
  });
  const [first] = configs;
  if (first === undefined) return new Map();
  const compilerState = CompilerState.create(first.config, {
    additionalEntryPoints: entries.map(({ declarations }) => declarations),
  });
  return new Map(
    configs.map(({ entry, entryOutput, config }) => [
      entry,
      extract(entry, entryOutput, config, compilerState),
    ]),
  );
}

function extract(
  entry: PackageEntry,
  output: string,
  config: ExtractorConfig,
  compilerState: CompilerState,
): ExtractedReport {
  const problems: string[] = [];
  const messageCallback = (message: ExtractorMessage): void => {
    if (message.logLevel === ExtractorLogLevel.Error) problems.push(problemText(message));
    message.handled = true;
  };
  const { succeeded } = Extractor.invoke(config, { compilerState, localBuild: true, messageCallback });
  const text = readFileSync(join(output, `${entry.entry}.api.md`), 'utf8');
  problems.push(...undocumentedExports(text));
  if (!succeeded && problems.length === 0) problems.push('API Extractor did not succeed');
  return { text, problems };
}

function problemText({ sourceFilePath, sourceFileLine, messageId, text }: ExtractorMessage): string {
  const place =
    sourceFilePath === undefined ? '' : `${sourceFilePath.replace(/^.*\/packages\//, 'packages/')}`;
  return `${place}:${sourceFileLine ?? 0}: ${messageId}: ${text}`;
}

/** Exported symbols without a summary; API Extractor marks them in the report. */
export function undocumentedExports(report: string): string[] {
  const lines = report.split('\n');
  return lines.flatMap((line, index) =>
    /^\/\/ @.*\(undocumented\)$/.test(line) ? [`no TSDoc summary: ${lines[index + 1] ?? ''}`] : [],
  );
}
