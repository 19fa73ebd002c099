// WhatIfMistake: what is wrong with a what-if, and what a change does that nobody asked for.
// Source followed: the mistakes of the boot parameters are those of the parameter readers; the others are this model's.
// Simplified: none.

import type { AcsMistakeCode, DumpedFunction } from '@sgfree/topology';

/**
 * A mistake in a what-if: those of the boot parameters, and
 * `change-unknown`: no change of that name. `address-invalid`: no address. `no-such-function`: not in the dump.
 * @beta
 */
export type WhatIfMistakeCode = AcsMistakeCode | 'change-unknown' | 'address-invalid' | 'no-such-function';

/**
 * A mistake, the piece of text it is about, and what it leads to.
 * @beta
 */
export interface WhatIfMistake {
  readonly code: WhatIfMistakeCode;
  readonly text: string;
  readonly explanation: string;
}

/**
 * What a change does besides.
 * `own-register`: the port has a handler and registers of its own, its word at +6 stays. `egress-refuses`: egress control
 * without request redirect refuses what it redirected. `many-functions`: one entry means several functions.
 * `groups-stay`, `map-types-cached`, `not-permanent`: how a change on the running machine differs from a boot.
 * @beta
 */
export type WhatIfRemarkCode =
  | 'own-register'
  | 'egress-refuses'
  | 'many-functions'
  | 'groups-stay'
  | 'map-types-cached'
  | 'not-permanent';

/**
 * A remark, and the functions it is about.
 * @beta
 */
export interface WhatIfRemark {
  readonly code: WhatIfRemarkCode;
  readonly of: readonly DumpedFunction[];
  readonly explanation: string;
}
