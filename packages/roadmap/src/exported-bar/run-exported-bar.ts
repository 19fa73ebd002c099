// Runs a list of I/Os over an exported BAR with the importer that a stage brings.
// Source followed: the project's rule: a stage run returns one report.
// Simplified: none.

import type { StageIdentity } from '../scenario.ts';
import type { StageReport } from '../stage-report.ts';
import type { BarImporter } from './bar-importer.ts';
import type { ExportedBarInput } from './exported-bar-input.ts';
import { buildExportedBarReport } from './exported-bar-report-builder.ts';
import { ExportedBarRun } from './exported-bar-run.ts';

/** Throws {@link PeerSiteError} when no I/O fits the BAR. @internal */
export function runExportedBar(
  identity: StageIdentity,
  input: ExportedBarInput,
  importer: BarImporter,
): StageReport {
  const run = new ExportedBarRun(input, importer);
  run.scene.run(run.all());
  return buildExportedBarReport(identity, run);
}
