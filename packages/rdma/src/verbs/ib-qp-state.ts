// Which changes of a queue pair's state are legal, and what each must and may bring along.
// Source followed: drivers/infiniband/core/verbs.c (the state table and ib_modify_qp_is_ok).
// Any state may go to reset, and any but reset to error, with nothing but the state.
// Simplified: reliable and unreliable connections; alternate paths and their migration do not exist.

import type { RdmaQpState, RdmaQpType } from '@sgfree/hw-model';

/**
 * What a change of state sets. The destination is the model's address vector: where the peer's NIC is on the wire.
 * @kernel struct ib_qp_attr
 * @public
 */
export interface IbQpAttr {
  readonly qpState?: RdmaQpState;
  /** The state it is expected to be in. */
  readonly curQpState?: RdmaQpState;
  readonly pkeyIndex?: number;
  readonly portNum?: number;
  /** REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC of {@link IbAccess}. */
  readonly qpAccessFlags?: number;
  readonly av?: { readonly destination: number };
  /** Payload bytes of a packet: 256, 512, 1024, 2048 or 4096. */
  readonly pathMtu?: number;
  readonly destQpNum?: number;
  readonly rqPsn?: number;
  readonly sqPsn?: number;
  readonly maxRdAtomic?: number;
  readonly maxDestRdAtomic?: number;
  /** Pause that a sender is asked for, in milliseconds. */
  readonly minRnrTimer?: number;
  /** Time to an acknowledgement, in milliseconds; 0 = for ever. */
  readonly timeout?: number;
  /** 0 to 7. */
  readonly retryCnt?: number;
  /** 0 to 7; 7 = any number. */
  readonly rnrRetry?: number;
}

/**
 * A field of {@link IbQpAttr}.
 * @public
 */
export type IbQpAttrName = keyof IbQpAttr;

interface Rule {
  readonly required: readonly IbQpAttrName[];
  readonly optional: readonly IbQpAttrName[];
}

const STATES_TO_EXPECT: readonly RdmaQpState[] = ['rtr', 'rts', 'sqd', 'sqe'];

const INIT: Rule = { required: ['pkeyIndex', 'portNum', 'qpAccessFlags'], optional: [] };
const INIT_AGAIN: Rule = { required: [], optional: ['pkeyIndex', 'portNum', 'qpAccessFlags'] };
const RTR_OPTIONAL = ['qpAccessFlags', 'pkeyIndex'] as const;
const UC_RTR: Rule = { required: ['av', 'pathMtu', 'destQpNum', 'rqPsn'], optional: RTR_OPTIONAL };
const RC_RTR: Rule = {
  required: [...UC_RTR.required, 'maxDestRdAtomic', 'minRnrTimer'],
  optional: RTR_OPTIONAL,
};
const UC_RTS: Rule = { required: ['sqPsn'], optional: ['curQpState', 'qpAccessFlags'] };
const RC_RTS: Rule = {
  required: ['timeout', 'retryCnt', 'rnrRetry', 'sqPsn', 'maxRdAtomic'],
  optional: ['curQpState', 'qpAccessFlags', 'minRnrTimer'],
};
const UC_AGAIN: Rule = { required: [], optional: ['curQpState', 'qpAccessFlags'] };
const RC_AGAIN: Rule = { required: [], optional: ['curQpState', 'qpAccessFlags', 'minRnrTimer'] };
const DRAIN: Rule = { required: [], optional: [] };
const UC_DRAINED: Rule = { required: [], optional: ['av', 'qpAccessFlags', 'pkeyIndex'] };
const RC_DRAINED: Rule = {
  required: [],
  optional: [
    'portNum',
    'av',
    'timeout',
    'retryCnt',
    'rnrRetry',
    'maxRdAtomic',
    'maxDestRdAtomic',
    'qpAccessFlags',
    'pkeyIndex',
    'minRnrTimer',
  ],
};

type Table = Readonly<Record<string, Rule>>;

const TABLES: Readonly<Record<RdmaQpType, Table>> = {
  rc: {
    'reset init': INIT,
    'init init': INIT_AGAIN,
    'init rtr': RC_RTR,
    'rtr rts': RC_RTS,
    'rts rts': RC_AGAIN,
    'rts sqd': DRAIN,
    'sqd rts': RC_AGAIN,
    'sqd sqd': RC_DRAINED,
  },
  uc: {
    'reset init': INIT,
    'init init': INIT_AGAIN,
    'init rtr': UC_RTR,
    'rtr rts': UC_RTS,
    'rts rts': UC_AGAIN,
    'rts sqd': DRAIN,
    'sqd rts': UC_AGAIN,
    'sqd sqd': UC_DRAINED,
    'sqe rts': UC_AGAIN,
  },
};

/**
 * True when a queue pair of `type` may go from `curState` to `nextState` with the fields of `mask`.
 * @kernel ib_modify_qp_is_ok
 * @public
 */
export function ibModifyQpIsOk(
  curState: RdmaQpState,
  nextState: RdmaQpState,
  type: RdmaQpType,
  mask: readonly IbQpAttrName[],
): boolean {
  const given: readonly IbQpAttrName[] = mask.filter((name) => name !== 'qpState');
  if (given.includes('curQpState') && !STATES_TO_EXPECT.includes(curState)) return false;
  if (nextState === 'reset') return given.length === 0;
  // A queue pair that was never set up has nothing to flush.
  if (nextState === 'err') return curState !== 'reset' && given.length === 0;
  const rule = TABLES[type][`${curState} ${nextState}`];
  if (rule === undefined) return false;
  const { required, optional } = rule;
  return (
    required.every((name) => given.includes(name)) &&
    given.every((name) => required.includes(name) || optional.includes(name))
  );
}
