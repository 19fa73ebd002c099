// CastText: everything that the rest of a run can depend on, as text, so that states which look the same are explored once.
// Source followed: the explorer's contract: what a text leaves out is not explored; what it says too much costs states only.
// Simplified: bytes of memory are a function of the requests that arrived.

import type { RdmaQueuePair } from '@sgfree/hw-model';
import { IbUmemDmabuf } from '@sgfree/rdma/stage-6';
import type { LentConnection } from '../../src/revoke/lent-connection.ts';
import type { RevokeCast, RevokeRole } from '../../src/revoke/revoke-cast.ts';
import type { RevokeWatch } from '../../src/revoke/revoke-watch.ts';

const PCI_COMMAND = 4;

/** @internal */
export function castText(cast: RevokeCast, watch: RevokeWatch): string {
  return [
    deviceText(cast),
    bufferText(cast),
    adaptersText(cast),
    `${cast.memory.accesses.length} ${cast.log.events.length} ${watch.late} ${watch.quiet}`,
    ...cast.roles.map(roleText),
  ].join(' / ');
}

function deviceText({ scene }: RevokeCast): string {
  const { pdev, openCount, registration, counters, config, resetWorks } = scene.vdev;
  const words = [pdev.fn.config.read(PCI_COMMAND, 2), config.read(PCI_COMMAND, 2), openCount];
  const { revokes, unrevokes, resets } = counters;
  return [...words, registration.refs, revokes, unrevokes, resets, resetWorks].join();
}

function bufferText({ lent, scene }: RevokeCast): string {
  const { dmabuf, revoked, kref, done } = lent;
  const { files, buffers } = scene.kernel.dmaBufs;
  const attached = dmabuf.attachments.map(({ importerPriv }) => umemText(importerPriv));
  const locks = `${dmabuf.resv.mutex.locked} ${lent.vdev === null}`;
  return `${revoked} ${kref} ${done.done} ${dmabuf.refs} ${attached.join()} ${locks} ${files.count} ${buffers.size}`;
}

/** Of a region that is being registered nobody else knows yet. */
function umemText(priv: unknown): string {
  if (!(priv instanceof IbUmemDmabuf)) return 'none';
  const { mapped, revoked, pinned, pinnedRevoke } = priv;
  return `${mapped} ${revoked} ${pinned} ${pinnedRevoke !== null}`;
}

function adaptersText({ scene, way }: RevokeCast): string {
  const { nic } = scene.near.device;
  const far = scene.far.end.device.nic;
  const counts = [nic, far].map(({ counters, keys }) => `${Object.values(counters).join()} ${keys.size}`);
  return `${counts.join(' ')} ${scene.faults.served} ${scene.tables.counts.tablesOut + way.census.counts.listsOut} ${scene.clock.nowMs} ${scene.clock.nextDueMs}`;
}

function roleText({ importer, traffic, connection }: RevokeRole): string {
  const { region, refused, stopped } = importer;
  const entry = region?.mr.entry;
  const umem = region?.umem;
  const key = `${entry?.state} ${entry?.generation} ${entry?.inUse} ${stopped} ${entry?.translation?.permits(0, true)}`;
  const memory = `${umem?.mapped} ${umem?.pinned} ${umem?.revoked}`;
  return `${refused} ${key} ${memory} ${traffic.statuses.join()} ${traffic.completed} ${traffic.ended} ${wires(connection)}`;
}

function wires({ qp, serving, cq }: LentConnection): string {
  return `${pairText(qp.pair)} ${pairText(serving.pair)} ${cq.queue.count}`;
}

function pairText({
  sendPsn,
  receivePsn,
  state,
  life,
  outstanding,
  requestsInFlight,
  sends,
  requests,
  responses,
}: RdmaQueuePair): string {
  const work = sends.map(({ begun, busy, done, sent, answered, status }) =>
    [begun, busy, done, sent, answered, status].join(),
  );
  return `${state} ${life} ${sendPsn} ${receivePsn} ${outstanding.sends} ${requestsInFlight} ${work.join('|')} ${requests.length} ${responses.map(({ kind }) => kind).join()}`;
}
