// Walks the tables about completions. Behind each request that is tested stands a good one of the same kind: it completes
// when the queue still goes, and is flushed when it does not.
import { dmaAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import {
  allocMw,
  IbAccess,
  type IbMr,
  type IbSendWr,
  IbWcStatus,
  type IbWrOpcode,
  ibAllocMr,
  ibAllocPd,
  ibIncRkey,
  ibMapMrSg,
  nextCompletion,
} from '../../src/index.ts';
import { outcomeValue } from '../verbs-rig.ts';
import { CompletionRig, rightsOf } from './completion-rig.ts';
import { registrationTable, reliableTable, silenceTable, unreliableTable } from './completion-rows.ts';
import { type TextRow, textRows } from './text-table.ts';

const statuses: Readonly<Record<string, number>> = IbWcStatus;
const good = { remoteAddr: 0, rkey: 0 };
const everything = rightsOf('lwra');

function walk(type: 'rc' | 'uc', { columns }: TextRow): void {
  const [op, count, local = '', remote = '', mr = '', pair = '', status = '', moved, ...ends] = columns;
  const opcode = op as IbWrOpcode;
  const bytes = Number(count);
  const rig = new CompletionRig({ type, remoteRights: rightsOf(mr), pairRights: rightsOf(pair) });
  const place = remote === '-' ? good : rig.place(remote, bytes, everything);
  if (opcode === 'send') rig.receive();
  const before = rig.memory;
  rig.post(rig.request(1, opcode, rig.piece(local, bytes), place));
  const first = rig.settle();
  expect(first).toEqual([statuses[status]]);
  expect(rig.memory !== before).toBe(moved === 'yes');
  const found = [...rig.states, rig.events.join(',') || 'none'];
  expect(found.map((each, i) => (ends[i] === '-' ? '-' : each))).toEqual(ends);
}

describe('a reliable connection', () => {
  it.each(textRows(reliableTable))('$key', (row) => walk('rc', row));

  it.each(textRows(reliableTable).filter(({ columns }) => columns[6] !== 'SUCCESS'))(
    '$key flushes what stands behind',
    ({ columns }) => {
      const [op, count, local = '', remote = '', mr, pair, status = ''] = columns;
      const bytes = Number(count);
      const rig = new CompletionRig({ type: 'rc', remoteRights: rightsOf(mr), pairRights: rightsOf(pair) });
      const place = remote === '-' ? good : rig.place(remote, bytes, everything);
      const behind = rig.request(2, 'rdma-write', rig.piece('good', 0), good);
      rig.post(rig.request(1, op as IbWrOpcode, rig.piece(local, bytes), place), behind, {
        ...behind,
        wrId: 3,
      });
      const flushed = IbWcStatus.WR_FLUSH_ERR;
      expect(rig.settle()).toEqual([statuses[status], flushed, flushed]);
      rig.post({ ...behind, wrId: 4 });
      expect(rig.settle()).toEqual([flushed]);
    },
  );
});

describe('an unreliable connection', () => {
  it.each(textRows(unreliableTable))('$key', (row) => walk('uc', row));
});

describe('a peer', () => {
  it.each(textRows(silenceTable))('$key', ({ columns: [what, tries, status = ''] }) => {
    const rig = new CompletionRig({
      type: 'rc',
      remoteRights: everything,
      pairRights: everything,
      rnrRetry: Number(tries),
      retryCnt: Number(tries),
      dead: what === 'dead',
    });
    if (what === 'bad-receive') rig.receive(true);
    if (what === 'late-receive') rig.rig.clock.after(40, () => rig.receive());
    rig.post(rig.request(1, 'send', rig.piece('good', 64), good));
    // Somebody who waits lets time pass.
    expect(rig.rig.do(nextCompletion(rig.rig.a.cq)).status).toBe(statuses[status]);
    expect(rig.requester.state).toBe(status === 'SUCCESS' ? 'rts' : 'err');
  });
});

const signaled = { sendFlags: { signaled: true } } as const;

/** A region that a work request registers, brought to the state in which a row begins. */
function begun(rig: CompletionRig, state: string): IbMr {
  const pd = rig.rig.a.pd;
  const mr = outcomeValue(ibAllocMr(pd, 'mem-reg', 4));
  ibMapMrSg(mr, [{ address: dmaAddr(0x100000), bytes: 4096 }], 1, null, 4096);
  const access = IbAccess.LOCAL_WRITE | IbAccess.MW_BIND | IbAccess.REMOTE_WRITE;
  const reg: IbSendWr = { wrId: 1, opcode: 'reg-mr', mr, key: mr.rkey, access, ...signaled };
  const steps: IbSendWr[] = state === 'free' ? [] : [reg];
  if (state === 'invalidated')
    steps.push({ wrId: 2, opcode: 'local-inv', invalidateRkey: mr.rkey, ...signaled });
  if (state === 'bound') {
    const mw = outcomeValue(allocMw(pd));
    const part = { addr: mr.iova, length: 64, access: IbAccess.REMOTE_WRITE };
    steps.push({ wrId: 3, opcode: 'bind-mw', mw, mr, key: mw.rkey, ...part, ...signaled });
  }
  rig.post(...steps);
  expect(rig.settle()).toEqual(steps.map(() => IbWcStatus.SUCCESS));
  return mr;
}

function registration(rig: CompletionRig, mr: IbMr, what: string): IbSendWr {
  const other = rig.rig.a;
  const foreign = (): IbMr => {
    const made = outcomeValue(ibAllocMr(outcomeValue(ibAllocPd(other.device)), 'mem-reg', 4));
    ibMapMrSg(made, [{ address: dmaAddr(0x100000), bytes: 4096 }], 1, null, 4096);
    return made;
  };
  const reg = { wrId: 5, opcode: 'reg-mr', mr, access: IbAccess.LOCAL_WRITE, ...signaled } as const;
  const inv = { wrId: 5, opcode: 'local-inv', ...signaled } as const;
  switch (what) {
    case 'reg':
      return { ...reg, key: mr.rkey };
    case 'reg-next-key':
      return { ...reg, key: ibIncRkey(mr.rkey) };
    case 'reg-other-index':
      return { ...reg, key: (mr.rkey + 0x100) >>> 0 };
    case 'reg-other-pd': {
      const theirs = foreign();
      return { ...reg, mr: theirs, key: theirs.rkey };
    }
    case 'inv':
      return { ...inv, invalidateRkey: mr.rkey };
    case 'inv-next-key':
      return { ...inv, invalidateRkey: ibIncRkey(mr.rkey) };
    case 'inv-user':
      return { ...inv, invalidateRkey: rig.local.lkey };
    default:
      return { ...inv, invalidateRkey: 0x7ffff00 };
  }
}

describe('registration by work requests', () => {
  it.each(textRows(registrationTable))('$key', ({ columns: [state = '', what = '', status = ''] }) => {
    const rig = new CompletionRig({ type: 'rc', remoteRights: everything, pairRights: everything });
    const mr = begun(rig, state);
    rig.post(registration(rig, mr, what));
    const found = rig.settle();
    if (status === 'ERROR') expect(found).not.toEqual([IbWcStatus.SUCCESS]);
    else expect(found).toEqual([statuses[status]]);
    expect(found.length).toBe(1);
    expect(rig.requester.state).toBe(status === 'SUCCESS' ? 'rts' : 'err');
  });
});
