// The verdict on an exchange: a function of its report alone.
// Source followed: the contract of invalidation in dma-buf; who gets VRAM and by which way; the road's goal: nothing but range lists.
// Simplified: none.

import type { GpuAbuseName } from '@sgfree/gpu-driver/stage-3';
import { Errno } from '@sgfree/mm';
import type { P2pdmaMapType } from '@sgfree/p2p';
import { type Verdict, verdictOf } from '../verdict.ts';
import type { GpuExchangePlace, GpuExchangeWayName } from './gpu-exchange-input.ts';
import type { GpuExchangeReport } from './gpu-exchange-report.ts';

/** What is wrong, in words, and when it is. */
const CHECKS: Readonly<Record<GpuExchangeFault, readonly [string, (report: GpuExchangeReport) => boolean]>> =
  {
    data: ['wrong bytes', ({ stage }) => stage.bytesWrong > 0],
    kept: [
      'bytes of an object that nobody shares changed',
      ({ kept }) => kept.wrong > 0 || kept.verified === 0,
    ],
    late: ['an importer used an old place after the wait', ({ accesses }) => accesses.late > 0],
    stray: ['an importer used memory that is not its own', ({ accesses }) => accesses.stray > 0],
    early: ['an importer used a new place before its bytes', ({ accesses }) => accesses.early > 0],
    moves: ['an object did not move, or not to its end', wrongMoves],
    idle: ['no move found the disk at work', ({ toldAtWork }) => toldAtWork === 0],
    route: ['data took another way than the kernel decided', tookAnotherWay],
    refusal: ['VRAM was given to, or kept from, an importer against the rules', wrongRefusal],
    scatterlist: ['a scatterlist crossed, or none where there is nothing else', crossedAnother],
    abuse: [
      'an abuse that the way contains was not counted, or one that it does not contain was',
      wrongAbuses,
    ],
    violation: ["a rule of the kernel's was broken", ({ violations }) => violations.length > 0],
    stage: ['a check of every stage failed', ({ stage }) => !verdictOf(stage).ok],
    leftover: [
      'something was left',
      ({ leftovers }) => Object.values(leftovers).some((count) => count !== 0),
    ],
  };

/**
 * The code of a check that an exchange can fail.
 * @beta
 */
export type GpuExchangeFault =
  | 'data'
  | 'kept'
  | 'late'
  | 'stray'
  | 'early'
  | 'moves'
  | 'idle'
  | 'route'
  | 'refusal'
  | 'scatterlist'
  | 'abuse'
  | 'violation'
  | 'stage'
  | 'leftover';

/**
 * The checks that `report` fails.
 * @beta
 */
export function gpuExchangeFaults(report: GpuExchangeReport): GpuExchangeFault[] {
  return (Object.keys(CHECKS) as GpuExchangeFault[]).filter((code) => CHECKS[code][1](report));
}

/**
 * Judges an exchange.
 * @beta
 */
export function gpuExchangeVerdict(report: GpuExchangeReport): Verdict {
  const wrong = gpuExchangeFaults(report).map((code) => CHECKS[code][0]);
  if (wrong.length > 0) return { ok: false, line: `FAILED: ${wrong.join('; ')}` };
  const { stage, moves, crossed } = report;
  const abuses = Object.values(report.abuses).reduce((sum, count) => sum + count, 0);
  return {
    ok: true,
    line: `OK: ${stage.bytesVerified} bytes right, ${moves.length} moves under way, last access at most ${stage.revokeToLastAccessSteps ?? 0} steps after an importer was told, none after the wait; ${crossed.scatterlistEntries} scatterlist entries, ${abuses} abuses`,
  };
}

/** The driver did all it was to do, and every move came to its end, in order. */
function wrongMoves({ input, driver, moves }: GpuExchangeReport): boolean {
  if (driver.acted !== input.moves || driver.failed > 0 || moves.length === 0) return true;
  return moves.some(
    ({ copyBegan, ended, lastAccess }) =>
      copyBegan === null || ended === null || ended < copyBegan || (lastAccess ?? 0) > copyBegan,
  );
}

/** What Linux decides for the adapter and for the disk. */
const MAP_TYPES: Readonly<Record<GpuExchangePlace, readonly [P2pdmaMapType, P2pdmaMapType]>> = {
  switch: ['bus-addr', 'bus-addr'],
  'host-bridge': ['thru-host-bridge', 'thru-host-bridge'],
  refused: ['not-supported', 'not-supported'],
  mixed: ['bus-addr', 'not-supported'],
};

/**
 * Below one switch data stays there; tables hold addresses of the host's instead, which only an IOMMU sends up. A peer out of reach
 * gets system memory, so that nothing passes between devices: whether the other one finds an object in VRAM then is the driver's choice.
 */
function tookAnotherWay({ input, stage, mapTypes }: GpuExchangeReport): boolean {
  const { switchLocal, hostBridge, memory, refused } = stage.fabric;
  if (refused.requests > 0 || memory.bytes === 0) return true;
  const [adapter, disk] = MAP_TYPES[input.place];
  if (mapTypes.adapter !== adapter || mapTypes.disk !== disk) return true;
  if (input.place === 'refused') return switchLocal.bytes + hostBridge.bytes > 0;
  const local = input.place !== 'host-bridge' && (input.way === 'range-list' || !input.iommu);
  const [right, wrong] = local ? [switchLocal, hostBridge] : [hostBridge, switchLocal];
  return (right.bytes === 0 && input.place !== 'mixed') || wrong.bytes > 0;
}

/** Who has no way to the card does not get an object that may lie nowhere else; amdgpu moves it nevertheless. */
function wrongRefusal({ input, vramOnly }: GpuExchangeReport): boolean {
  const { attach, map, register } = vramOnly;
  const refusal = { 'range-list': Errno.EINVAL, amdgpu: 0, xe: Errno.EOPNOTSUPP }[input.way];
  const [toAdapter, toDisk] = MAP_TYPES[input.place].map((type) => (type === 'not-supported' ? refusal : 0));
  return attach !== toDisk || register !== toAdapter || map !== (toDisk === 0 ? 0 : null);
}

function crossedAnother({ input, crossed }: GpuExchangeReport): boolean {
  const { entries, scatterlistEntries } = crossed;
  if (entries === 0) return true;
  return input.way === 'range-list' ? scatterlistEntries > 0 : scatterlistEntries !== entries;
}

/** Who commits an abuse, and for importers with which answer of the kernel's; each run has it whose place has such an importer. */
interface AbuseRule {
  readonly ways: readonly GpuExchangeWayName[];
  readonly needs: (type: P2pdmaMapType) => boolean;
}

const TODAY: readonly GpuExchangeWayName[] = ['amdgpu', 'xe'];
const everybody = (): boolean => true;
const getsVram = (type: P2pdmaMapType): boolean => type !== 'not-supported';

/** The driver puts objects into system memory under every importer; amdgpu alone goes by where an object lies by then. */
const ABUSES: Readonly<Record<GpuAbuseName, AbuseRule>> = {
  'null-page-scatterlist': { ways: TODAY, needs: getsVram },
  'page-pointer-as-type-tag': { ways: TODAY, needs: everybody },
  'unmap-by-current-placement': { ways: ['amdgpu'], needs: getsVram },
  'attribute-mismatch': { ways: TODAY, needs: everybody },
  'ignoring-p2p-bus-addressing': { ways: TODAY, needs: (type) => type === 'bus-addr' },
};

/** Each abuse that way and place bring out was counted, and no other: a watch that sees some of them only is no witness. */
function wrongAbuses({ input, abuses }: GpuExchangeReport): boolean {
  const due = Object.entries(ABUSES)
    .filter(([, { ways, needs }]) => ways.includes(input.way) && MAP_TYPES[input.place].some(needs))
    .map(([name]) => name);
  const seen = Object.keys(abuses).filter((name) => (abuses[name] ?? 0) > 0);
  return seen.length !== due.length || due.some((name) => !seen.includes(name));
}
