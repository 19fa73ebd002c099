// The verdict on a revoke: a function of its report alone.
// Source followed: the revoke contract of dma-buf: importers stop in bounded time, both waits come before the owner goes on,
// nothing lands afterwards; who may come back: dynamic importers once the memory is given out, pinned ones never, nobody
// after the last close.
// Simplified: none.

import { Errno } from '@sgfree/mm';
import { type Verdict, verdictOf } from '../verdict.ts';
import type { RevokeImporterReport, RevokeProbe, RevokeReport } from './revoke-report.ts';

const KEEPER = 'keeps-mapping';

/** What is wrong, in words, and when it is. */
const CHECKS: Readonly<Record<RevokeFault, readonly [string, (report: RevokeReport) => boolean]>> = {
  refusal: ['the exporter took in a region, or refused one, against the rules', wrongRefusal],
  idle: ['no work was under way', nothingUnderWay],
  'not-stopped': ['a well-behaved importer did not stop', neverStopped],
  unnamed: ['the owner hangs and those who keep it waiting were not named', hangsUnnamed],
  'not-waited': ['the owner did not wait for a mapping', didNotWait],
  'not-freed': ['the owner was not freed when the mapping was', ({ hang }) => hang?.releasedAfter === null],
  owner: ["the owner's call failed", ({ ownerResult }) => ownerResult !== 0],
  'late-access': ['the memory was accessed after the wait', ({ accesses }) => accesses.late > 0],
  'late-bytes': ['bytes landed after the wait', ({ bytesChangedLate }) => bytesChangedLate > 0],
  order: ['the exporter did not wait for everything', outOfOrder],
  status: [
    'work ended with a wrong status',
    ({ importers }) => importers.some((one) => one.wrongStatuses > 0),
  ],
  completion: [
    'work never completed',
    ({ importers }) => importers.some((one) => one.missingCompletions > 0),
  ],
  data: ['wrong bytes', ({ bytesWrong }) => bytesWrong > 0],
  refused: ['the fabric refused a request', ({ accesses }) => accesses.refused > 0],
  return: ['a region came back, or stayed away, against the rules', wrongReturn],
  route: ['data took another way than the kernel decided', tookAnotherWay],
  violation: ["a rule of the kernel's was broken", ({ violations }) => violations.length > 0],
  operation: ['something crossed that the operation does not hand out', crossedAnother],
  stage: ['a check of every stage failed', ({ stage }) => !verdictOf(stage).ok],
  leftover: ['something was left', ({ leftovers }) => Object.values(leftovers).some((count) => count !== 0)],
};

/**
 * The code of a check that a revoke can fail.
 * @public
 */
export type RevokeFault =
  | 'refusal'
  | 'idle'
  | 'not-stopped'
  | 'unnamed'
  | 'not-waited'
  | 'not-freed'
  | 'owner'
  | 'late-access'
  | 'late-bytes'
  | 'order'
  | 'status'
  | 'completion'
  | 'data'
  | 'refused'
  | 'return'
  | 'route'
  | 'violation'
  | 'leftover'
  | 'operation'
  | 'stage';

/**
 * The checks that `report` fails.
 * @public
 */
export function revokeFaults(report: RevokeReport): RevokeFault[] {
  return (Object.keys(CHECKS) as RevokeFault[]).filter((code) => CHECKS[code][1](report));
}

/**
 * Judges a revoke.
 * @public
 */
export function revokeVerdict(report: RevokeReport): Verdict {
  const wrong = revokeFaults(report).map((code) => CHECKS[code][0]);
  if (wrong.length > 0) return { ok: false, line: `FAILED: ${wrong.join('; ')}` };
  return { ok: true, line: `OK: ${report.hang === null ? stoppedText(report) : hangText(report)}` };
}

const accepted = ({ importers }: RevokeReport): RevokeImporterReport[] =>
  importers.filter(({ refused }) => refused === 0);

function stoppedText(report: RevokeReport): string {
  const { timings, bytesVerified } = report;
  const refused = report.importers.filter((one) => one.refused !== 0).map(({ kind }) => kind);
  const refusedText = refused.length === 0 ? '' : `; ${refused.join(', ')} refused (EOPNOTSUPP)`;
  if (accepted(report).length === 0) return `nobody imported the memory${refusedText}`;
  return `last access ${timings.lastAccess} steps after the revoke began, the owner through after ${timings.ownerDone}, none later, ${bytesVerified} bytes right${refusedText}`;
}

function hangText({ hang }: RevokeReport): string {
  const holders = hang?.holders.map(({ importer, device }) => `${importer} of ${device}`).join(' and ');
  return `the owner hangs, as in Linux: ${holders} keeps its mapping (${hang?.waited} steps waited); freed when that was deregistered`;
}

/** VFIO takes in only importers that it can call. */
function wrongRefusal({ importers }: RevokeReport): boolean {
  return importers.some(({ kind, refused }) => refused !== (kind === 'pinned' ? Errno.EOPNOTSUPP : 0));
}

/** One kind of mapping crosses, for each region that was taken in; a table that was not wanted comes with a warning each time. */
function crossedAnother({ input, crossed, importers }: RevokeReport): boolean {
  const { tables, tableEntries, rangeLists, rangeListEntries, deprecatedImports, agreed } = crossed;
  const overTables = input.op !== 'range-list';
  const wrong = overTables ? rangeLists + rangeListEntries : tables + tableEntries;
  const warnings =
    input.op === 'deprecated' ? Object.values(agreed).reduce((sum, count) => sum + count, 0) : 0;
  const taken = importers.filter(({ refused }) => refused === 0).length;
  const right = overTables ? tables : rangeLists;
  const warned = input.op === 'deprecated' ? Math.min(right, warnings) : right;
  return wrong !== 0 || deprecatedImports !== warnings || warned < taken;
}

function nothingUnderWay(report: RevokeReport): boolean {
  const regions = accepted(report);
  return regions.length > 0 && regions.every(({ inFlight }) => inFlight === 0);
}

function neverStopped(report: RevokeReport): boolean {
  const good = accepted(report).filter(({ kind }) => kind !== KEEPER);
  if (good.some(({ stoppedAfter, unmappedAfter }) => stoppedAfter === null || unmappedAfter === null))
    return true;
  const keepers = report.input.importers.includes(KEEPER);
  return !keepers && (report.hang !== null || report.timings.ownerDone === null);
}

/** Exactly those that keep their mapping are to be named. */
function hangsUnnamed({ hang, importers }: RevokeReport): boolean {
  if (hang === null) return false;
  const keepers = importers.filter(({ kind }) => kind === KEEPER).map(({ name }) => name);
  const named = hang.holders.map(({ importer }) => importer);
  return named.length === 0 || keepers.toSorted().join() !== named.toSorted().join();
}

function didNotWait({ hang, input }: RevokeReport): boolean {
  return hang === null && input.importers.includes(KEEPER);
}

/** Everything that is waited for comes before the end of the wait. */
function outOfOrder({ timings, hang }: RevokeReport): boolean {
  const { waitReturned, calledBack, fencesRetired, mapsReturned, lastAccess, ownerDone } = timings;
  if (waitReturned === null) return true;
  const parts = [calledBack, fencesRetired, lastAccess, ...(hang === null ? [mapsReturned] : [])];
  if (parts.some((part) => part === null || (part > waitReturned && hang === null))) return true;
  return ownerDone === null || ownerDone < waitReturned;
}

function wrongReturn(report: RevokeReport): boolean {
  const { trigger } = report.input;
  return accepted(report).some(({ kind, probes }) => {
    const wrong = probes.some((probe) => {
      const given = trigger !== 'close' && probe.when === 'after';
      return isWrong(probe, given && kind === 'dynamic', given);
    });
    const wanted = kind === KEEPER ? 0 : trigger === 'memory-off' ? 2 : 1;
    return wrong || probes.length !== wanted;
  });
}

const isWrong = ({ sameRegion, newRegion }: RevokeProbe, comesBack: boolean, isNew: boolean): boolean =>
  sameRegion !== (comesBack ? 'SUCCESS' : 'REM_ACCESS_ERR') || newRegion !== (isNew ? 0 : Errno.ENODEV);

function tookAnotherWay(report: RevokeReport): boolean {
  const { memory, switchLocal, hostBridge } = report.fabric;
  if (memory.bytes > 0) return true;
  if (accepted(report).length === 0) return switchLocal.bytes + hostBridge.bytes > 0;
  const [right, wrong] =
    report.mapType === 'bus-addr' ? [switchLocal, hostBridge] : [hostBridge, switchLocal];
  return right.bytes === 0 || wrong.bytes > 0;
}
