// Stage 5: exporter and importer agree on a kind of mapping, and a range list crosses instead of a table. The same I/O goes over
// the deprecated operation beside it: the exporter of stage 3, at which the same import falls back and warns.
// Source followed: the RFC's mapping types; range lists are our own.
// Simplified: each operation has a machine of its own.

import { sgtFallback } from '@sgfree/dma-buf/sgt';
import { ibDeregDmabufMr, ibRegDmabufMr, rangeListImport } from '@sgfree/rdma/stage-5';
import type { BarImporter } from './exported-bar/bar-importer.ts';
import type { ExportedBarInput } from './exported-bar/exported-bar-input.ts';
import { forcedRangeLists } from './exported-bar/forced-range-list.ts';
import { ImportCensus } from './exported-bar/import-census.ts';
import { mappingTypesExporter } from './exported-bar/mapping-types-exporter.ts';
import type { NegotiatedReport } from './exported-bar/negotiated-report.ts';
import { runExportedBar } from './exported-bar/run-exported-bar.ts';
import type { ExportingStage, StageIdentity } from './scenario.ts';
import type { StageReport } from './stage-report.ts';

const IDENTITY = { stage: 5, title: 'exported BAR, range list by mapping type' } as const;
const DEPRECATED: StageIdentity = { stage: 5, title: 'exported BAR, deprecated table beside it' };

type Operation = NegotiatedReport['operation'];

/** RDMA by mapping types, at the exporter that belongs to `operation`. @internal */
export function negotiatingImporter(operation: Operation, plant: ExportedBarInput['plant']): BarImporter {
  const census = new ImportCensus();
  const common = {
    works: 'ranges',
    via: census.counted(rangeListImport(sgtFallback)),
    register: ibRegDmabufMr,
    deregister: ibDeregDmabufMr,
    negotiation: { operation, census },
  } as const satisfies BarImporter;
  if (operation === 'deprecated') return common;
  const more = plant === 'forced-bus-address' ? [forcedRangeLists] : [];
  return { ...common, exporter: (tables) => mappingTypesExporter(tables, more) };
}

/** One run with `importer`, the warnings of its imports counted. @internal */
export function runNegotiated(
  identity: StageIdentity,
  input: ExportedBarInput,
  importer: BarImporter,
): StageReport {
  const log = importer.negotiation?.census.hearing(input.log);
  return runExportedBar(identity, log === undefined ? input : { ...input, log }, importer);
}

/**
 * Stage 5 as a run; `beside` in its report is the deprecated operation.
 * @public
 */
export const stage5: ExportingStage = {
  ...IDENTITY,
  runExported: (input) => {
    const { plant, onIo: _, observe: __, ...quiet } = input;
    const again = plant === undefined ? quiet : { ...quiet, plant };
    const beside = runNegotiated(DEPRECATED, again, negotiatingImporter('deprecated', plant));
    return { ...runNegotiated(IDENTITY, input, negotiatingImporter('range-list', plant)), beside };
  },
};
