// The classes of requests in the report of a run that no block layer has a part in.
// Source followed: the project's design, "what every stage is judged by".
// Simplified: none.

import { type ClassReport, REPORT_CLASSES, type StageReport } from './stage-report.ts';
import { NO_WORK } from './work-counts.ts';

const NO_REQUESTS: ClassReport = {
  ...NO_WORK,
  requests: 0,
  bytes: 0,
  segments: 0,
  dmaRangesOut: 0,
  trackingBytes: 0,
};

/** Every class, without requests. @internal */
export const noClasses = (): StageReport['classes'] =>
  Object.fromEntries(REPORT_CLASSES.map((kind) => [kind, NO_REQUESTS])) as StageReport['classes'];
