// WhatIfRemarks: what a change of ACS registers does besides what it was made for.
// Source followed: PCI Express Base Specification 6.0, section 6.12 (egress control refuses where requests are not redirected);
// the kernel forms IOMMU groups when it adds devices, and keeps a map type once it is found (drivers/pci/p2pdma.c).
// Simplified: which ports an egress control vector names is not looked at.

import { ACS } from '@sgfree/hw-model';
import {
  type AcsChange,
  type AcsControl,
  type AcsEntry,
  type AcsKernel,
  type DumpedFunction,
  deviceMatches,
  type MachineDump,
} from '@sgfree/topology';
import { acsControlNow } from './acs-control-now.ts';
import type { WhatIfRemark } from './what-if-mistake.ts';
import type { WhatIfRequest } from './what-if-request.ts';

const OWN_REGISTER =
  'the port has ACS registers of its own kind: the change does not reach the word that peer-to-peer routes are decided by, but it may end the isolation of the port';
const EGRESS_REFUSES =
  'egress control stays on without request redirect: requests to ports that its vector names are refused instead of redirected';
const EGRESS_REFUSES_NOW =
  'egress control is on without request redirect: what the kernel takes for redirected is refused here, if the vector names the port it goes to';
const GROUPS_STAY =
  'the running kernel keeps its IOMMU groups, although these functions no longer keep their peers apart';
const MAP_TYPES_CACHED =
  'a map type that was found before stays until the distance is asked for again or the driver of the provider is bound anew';
const NOT_PERMANENT = 'the change ends with a reset of the function and with the next boot';

/** The remarks on what a request changes. @internal */
export function whatIfRemarks(
  dump: MachineDump,
  request: WhatIfRequest,
  kernel: AcsKernel,
  changes: readonly AcsChange[],
  untouched: ReadonlySet<DumpedFunction>,
): WhatIfRemark[] {
  const { disableRedirect, configure } = request.parameters;
  const entries = [...disableRedirect, ...(kernel === '6.1' ? [] : configure)];
  return [
    ...remark('own-register', [...untouched], OWN_REGISTER),
    ...remark(
      'egress-refuses',
      changes.filter(turnsToRefusal).map(({ fn }) => fn),
      EGRESS_REFUSES,
    ),
    ...entries.flatMap((entry) => manyFunctions(dump, entry)),
    ...remark('groups-stay', request.cleared, GROUPS_STAY),
    ...remark('map-types-cached', request.cleared, MAP_TYPES_CACHED),
    ...remark('not-permanent', request.cleared, NOT_PERMANENT),
  ];
}

const remark = (
  code: WhatIfRemark['code'],
  of: readonly DumpedFunction[],
  explanation: string,
): WhatIfRemark[] => (of.length === 0 ? [] : [{ code, of, explanation }]);

const refuses = ({ value, unknownBits }: AcsControl): boolean =>
  (value & ACS.egressControl) !== 0 && ((value | unknownBits) & ACS.requestRedirect) === 0;

const turnsToRefusal = ({ before, after }: AcsChange): boolean => refuses(after) && !refuses(before);

/** Functions that refuse peers by egress control today. @internal */
export const egressRefusals = (way: readonly DumpedFunction[]): WhatIfRemark[] =>
  remark('egress-refuses', way.filter(refusesNow), EGRESS_REFUSES_NOW);

function refusesNow(fn: DumpedFunction): boolean {
  const now = acsControlNow(fn);
  return now !== 'absent' && refuses(now);
}

function manyFunctions(dump: MachineDump, { text, device }: AcsEntry): WhatIfRemark[] {
  const meant = dump.functions.filter(
    (fn) => fn.acs.control !== 'absent' && deviceMatches(device, fn) !== false,
  );
  return meant.length < 2
    ? []
    : remark('many-functions', meant, `"${text}" means ${meant.length} functions with ACS, not only one`);
}
