// What a work request completes with, when this or that is wrong with it.
// Source: rdma-block-gpu.md A.6.3. Columns: key | opcode | bytes | local piece | remote place | rights of the remote region
// (l = local write, w, r, a) | rights of the responder's queue pair | status of the requester | bytes moved | state of the
// requester | state of the responder | event at the responder. `-` = not said by the source.

/** Reliable connections. */
export const reliableTable: string = `
write.good              | rdma-write | 64 | good      | good     | lwra | wra | SUCCESS         | yes | rts | rts | none
write.one-byte          | rdma-write | 1  | good      | good     | lwra | wra | SUCCESS         | yes | rts | rts | none
write.whole-region      | rdma-write | 2048 | good    | good     | lwra | wra | SUCCESS         | yes | rts | rts | none
write.to-last-byte      | rdma-write | 64 | good      | last     | lwra | wra | SUCCESS         | yes | rts | rts | none
write.from-last-byte    | rdma-write | 64 | last      | good     | lwra | wra | SUCCESS         | yes | rts | rts | none
write.from-read-only    | rdma-write | 64 | read-only | good     | lwra | wra | SUCCESS         | yes | rts | rts | none
write.no-other-rights   | rdma-write | 64 | good      | good     | lw   | w   | SUCCESS         | yes | rts | rts | none
read.good               | rdma-read  | 64 | good      | good     | lwra | wra | SUCCESS         | yes | rts | rts | none
read.whole-region       | rdma-read  | 2048 | good    | good     | lwra | wra | SUCCESS         | yes | rts | rts | none
read.from-last-byte     | rdma-read  | 64 | good      | last     | lwra | wra | SUCCESS         | yes | rts | rts | none
read.no-other-rights    | rdma-read  | 64 | good      | good     | r    | r   | SUCCESS         | yes | rts | rts | none
send.good               | send       | 64 | good      | -        | l    | -   | SUCCESS         | yes | rts | rts | none
send.from-read-only     | send       | 64 | read-only | -        | l    | -   | SUCCESS         | yes | rts | rts | none
atomic.good             | atomic-fetch-and-add | 8 | good | good | lwra | wra | SUCCESS         | yes | rts | rts | none
atomic.no-other-rights  | atomic-fetch-and-add | 8 | good | good | la   | a   | SUCCESS         | yes | rts | rts | none
atomic.compare          | atomic-cmp-and-swp | 8 | good | good   | lwra | wra | SUCCESS         | yes | rts | rts | none

write.local.stale       | rdma-write | 64 | stale     | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
write.local.unknown     | rdma-write | 64 | unknown   | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
write.local.other-pd    | rdma-write | 64 | other-pd  | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
write.local.below       | rdma-write | 64 | below     | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
write.local.beyond      | rdma-write | 64 | beyond    | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
write.local.far         | rdma-write | 64 | far       | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
write.local.too-long    | rdma-write | 2049 | good    | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
read.local.stale        | rdma-read  | 64 | stale     | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
read.local.unknown      | rdma-read  | 64 | unknown   | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
read.local.other-pd     | rdma-read  | 64 | other-pd  | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
read.local.beyond       | rdma-read  | 64 | beyond    | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
read.local.read-only    | rdma-read  | 64 | read-only | good     | lwra | wra | LOC_PROT_ERR    | no | err | - | none
send.local.stale        | send       | 64 | stale     | -        | l    | -   | LOC_PROT_ERR    | no | err | - | none
send.local.other-pd     | send       | 64 | other-pd  | -        | l    | -   | LOC_PROT_ERR    | no | err | - | none
send.local.beyond       | send       | 64 | beyond    | -        | l    | -   | LOC_PROT_ERR    | no | err | - | none
atomic.local.stale      | atomic-fetch-and-add | 8 | stale | good | lwra | wra | LOC_PROT_ERR   | no | err | - | none

write.remote.stale      | rdma-write | 64 | good | stale    | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
write.remote.unknown    | rdma-write | 64 | good | unknown  | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
write.remote.other-pd   | rdma-write | 64 | good | other-pd | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
write.remote.below      | rdma-write | 64 | good | below    | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
write.remote.beyond     | rdma-write | 64 | good | beyond   | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
write.remote.far        | rdma-write | 64 | good | far      | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
write.remote.no-right   | rdma-write | 64 | good | good     | lra  | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
read.remote.stale       | rdma-read  | 64 | good | stale    | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
read.remote.unknown     | rdma-read  | 64 | good | unknown  | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
read.remote.other-pd    | rdma-read  | 64 | good | other-pd | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
read.remote.below       | rdma-read  | 64 | good | below    | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
read.remote.beyond      | rdma-read  | 64 | good | beyond   | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
read.remote.no-right    | rdma-read  | 64 | good | good     | lwa  | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
atomic.remote.stale     | atomic-fetch-and-add | 8 | good | stale  | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
atomic.remote.other-pd  | atomic-fetch-and-add | 8 | good | other-pd | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
atomic.remote.far       | atomic-fetch-and-add | 8 | good | far    | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
atomic.remote.no-right  | atomic-fetch-and-add | 8 | good | good   | lwr  | wra | REM_ACCESS_ERR | no | err | err | qp-access-error

write.pair-lacks        | rdma-write | 64 | good | good     | lwra | ra  | REM_INV_REQ_ERR | no | err | - | -
read.pair-lacks         | rdma-read  | 64 | good | good     | lwra | wa  | REM_INV_REQ_ERR | no | err | - | -
atomic.pair-lacks       | atomic-fetch-and-add | 8 | good | good | lwra | wr | REM_INV_REQ_ERR | no | err | - | -
compare.pair-lacks      | atomic-cmp-and-swp | 8 | good | good   | lwra | wr | REM_INV_REQ_ERR | no | err | - | -
write.pair-lacks-all    | rdma-write | 64 | good | good     | lwra | -   | REM_INV_REQ_ERR | no | err | - | -
write.pair-lacks-bad-key | rdma-write | 64 | good | unknown | lwra | ra  | REM_INV_REQ_ERR | no | err | - | -
read.pair-lacks-bad-key | rdma-read  | 64 | good | beyond   | lwra | wa  | REM_INV_REQ_ERR | no | err | - | -
write.pair-lacks-local-bad | rdma-write | 64 | stale | good  | lwra | ra  | LOC_PROT_ERR    | no | err | - | none

read.longest-is-checked  | rdma-read  | 2147483648 | anywhere | good | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
read.too-long            | rdma-read  | 2147483649 | anywhere | good | lwra | wra | REM_INV_REQ_ERR | no | err | - | -
read.too-long-bad-key    | rdma-read  | 2147483649 | anywhere | unknown | lwra | wra | REM_INV_REQ_ERR | no | err | - | -
write.longest-is-checked | rdma-write | 2147483648 | anywhere | good | lwra | wra | REM_ACCESS_ERR | no | err | err | qp-access-error
write.too-long           | rdma-write | 2147483649 | anywhere | good | lwra | wra | REM_INV_REQ_ERR | no | err | - | -

write.nothing           | rdma-write | 0 | good | good     | lwra | wra | SUCCESS | no | rts | rts | none
write.nothing.stale     | rdma-write | 0 | good | stale    | lwra | wra | SUCCESS | no | rts | rts | none
write.nothing.unknown   | rdma-write | 0 | good | unknown  | lwra | wra | SUCCESS | no | rts | rts | none
write.nothing.other-pd  | rdma-write | 0 | good | other-pd | lwra | wra | SUCCESS | no | rts | rts | none
write.nothing.far       | rdma-write | 0 | good | far      | lwra | wra | SUCCESS | no | rts | rts | none
write.nothing.no-right  | rdma-write | 0 | good | good     | lra  | wra | SUCCESS | no | rts | rts | none
read.nothing            | rdma-read  | 0 | good | good     | lwra | wra | SUCCESS | no | rts | rts | none
read.nothing.unknown    | rdma-read  | 0 | good | unknown  | lwra | wra | SUCCESS | no | rts | rts | none
read.nothing.far        | rdma-read  | 0 | good | far      | lwra | wra | SUCCESS | no | rts | rts | none
read.nothing.no-right   | rdma-read  | 0 | good | good     | lwa  | wra | SUCCESS | no | rts | rts | none
`;

/** Unreliable connections: what the responder does not like is dropped, and nobody hears of it. */
export const unreliableTable: string = `
uc.write.good            | rdma-write | 64 | good  | good     | lwra | wra | SUCCESS | yes | rts | rts | none
uc.write.remote.stale    | rdma-write | 64 | good  | stale    | lwra | wra | SUCCESS | no | rts | - | -
uc.write.remote.unknown  | rdma-write | 64 | good  | unknown  | lwra | wra | SUCCESS | no | rts | - | -
uc.write.remote.other-pd | rdma-write | 64 | good  | other-pd | lwra | wra | SUCCESS | no | rts | - | -
uc.write.remote.beyond   | rdma-write | 64 | good  | beyond   | lwra | wra | SUCCESS | no | rts | - | -
uc.write.remote.no-right | rdma-write | 64 | good  | good     | lra  | wra | SUCCESS | no | rts | - | -
uc.write.pair-lacks      | rdma-write | 64 | good  | good     | lwra | ra  | SUCCESS | no | rts | - | -
uc.write.local.stale     | rdma-write | 64 | stale | good     | lwra | wra | LOC_PROT_ERR | no | err | - | -
uc.write.nothing.unknown | rdma-write | 0  | good  | unknown  | lwra | wra | SUCCESS | no | rts | rts | none
uc.send.good             | send       | 64 | good  | -        | l    | -   | SUCCESS | yes | rts | rts | none
`;

/** A peer that does not answer. Columns: key | what is wrong | tries | status. */
export const silenceTable: string = `
peer.no-receive.0    | no-receive | 0 | RNR_RETRY_EXC_ERR
peer.no-receive.1    | no-receive | 1 | RNR_RETRY_EXC_ERR
peer.no-receive.6    | no-receive | 6 | RNR_RETRY_EXC_ERR
peer.late-receive.7  | late-receive | 7 | SUCCESS
peer.dead.0          | dead | 0 | RETRY_EXC_ERR
peer.dead.1          | dead | 1 | RETRY_EXC_ERR
peer.dead.7          | dead | 7 | RETRY_EXC_ERR
peer.bad-receive     | bad-receive | 1 | REM_OP_ERR
`;

/** Registration by work requests. Columns: key | before | request | status; ERROR = some error, the source names none. */
export const registrationTable: string = `
reg.free               | free  | reg             | SUCCESS
reg.free-next-key      | free  | reg-next-key    | SUCCESS
reg.valid              | valid | reg             | LOC_QP_OP_ERR
reg.valid-next-key     | valid | reg-next-key    | LOC_QP_OP_ERR
reg.invalidated        | invalidated | reg       | SUCCESS
reg.other-pd           | free  | reg-other-pd    | LOC_QP_OP_ERR
reg.other-index        | free  | reg-other-index | LOC_QP_OP_ERR
inv.valid              | valid | inv             | SUCCESS
inv.wrong-low-byte     | valid | inv-next-key    | ERROR
inv.unknown            | valid | inv-unknown     | ERROR
inv.user-region        | valid | inv-user        | ERROR
inv.windows-bound      | bound | inv             | ERROR
`;
