// The JSON document of `sgfree p2p`, schema sgfree/p2p/v1, as a schema that refuses what it does not know.
// Source followed: the README of this package.
// Simplified: for tests only.

import { z } from 'zod';

const hex = z.string().regex(/^0x[0-9a-f]{1,16}$/);
const whole = z.number().int().min(0);
const address = z.string().regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/);
const mapType = z.enum(['bus-addr', 'thru-host-bridge', 'not-supported']);
const verdict = z.enum(['bus-addr', 'thru-host-bridge', 'not-supported', 'unknown']);
const rule = z.enum(['common-port', 'cpu', 'host-bridge-listed', 'host-bridge-not-listed', 'unknown']);
const text = z.string().min(1);
const code = z.string().regex(/^[a-z0-9-]+$/);

const device = z.strictObject({
  label: z
    .string()
    .regex(/^[GNSAD]\d+$/)
    .nullable(),
  address,
  kind: z.enum(['gpu', 'nic', 'nvme', 'accelerator', 'other']),
  class: z
    .string()
    .regex(/^0x[0-9a-f]{4}$/)
    .nullable(),
  className: text.nullable(),
  name: text,
  vendorId: hex.nullable(),
  deviceId: hex.nullable(),
  driver: text.nullable(),
  numaNode: z.number().int().nullable(),
  port: address.nullable(),
  hostBridge: text.nullable(),
  iommuGroup: whole.nullable(),
  dumpedIommuGroup: whole.nullable(),
  memoryBars: z.array(
    z.strictObject({
      bar: whole,
      physical: hex.nullable(),
      bus: hex.nullable(),
      bytes: whole.nullable(),
    }),
  ),
});

const pairShape = {
  from: address,
  to: address,
  verdict,
  code: z.enum(['B', 'H', 'Z', 'N', '?']),
  possible: z.array(mapType).min(1),
  onAmdZen: verdict.nullable(),
  onOtherCpu: verdict.nullable(),
  distance: whole.nullable(),
  common: z.union([address, z.literal('none')]).nullable(),
  redirecting: z.array(address),
  rule,
  missing: z.array(
    z.strictObject({
      kind: z.enum(['acs-control', 'upstream-bridge', 'host-bridge', 'cpu', 'kernel-version']),
      of: address.nullable(),
    }),
  ),
};
const pair = z.strictObject(pairShape);

const route = z.strictObject({
  ...pairShape,
  reason: text,
  addressForm: text,
  hops: z.array(
    z.strictObject({
      address,
      side: z.enum(['up', 'common', 'down']),
      type: text,
      name: text,
      acs: z.enum(['absent', 'unknown', 'shown']),
      acsControl: hex.nullable(),
      acsUnknownBits: hex.nullable(),
      redirects: z.boolean().nullable(),
    }),
  ),
});

const group = z.strictObject({
  number: whole.nullable(),
  members: z.array(address),
  mayAlsoHold: z.array(address),
});
const groups = z.strictObject({
  same: z.boolean().nullable(),
  merged: z.array(z.strictObject({ from: z.array(group).min(2), after: group })),
  split: z.array(z.strictObject({ before: group, into: z.array(group).min(2) })),
  losesIsolation: z.array(address),
  undecided: z.array(address),
});
const target = z.strictObject({ address, bits: hex, certain: z.boolean() });

const losses = z.array(z.strictObject({ address, lost: hex, maybeLost: hex }));
const remarks = z.array(z.strictObject({ code, of: z.array(address), explanation: text }));

const change = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('reveal'),
    facts: z.array(
      z.strictObject({
        fact: code,
        of: address.nullable(),
        how: text,
        outcomes: z.array(z.strictObject({ answer: text, possible: z.array(mapType) })),
      }),
    ),
  }),
  z.strictObject({
    kind: z.literal('clear-redirect'),
    verdict,
    targets: z.array(target).min(1),
    ways: z.array(
      z.strictObject({
        method: z.enum(['running', 'disable_acs_redir', 'config_acs']),
        argument: text,
        commands: z.array(text),
        losses,
        remarks,
        groups,
      }),
    ),
  }),
  z.strictObject({ kind: z.literal('kernel-version'), verdict, kernels: z.array(text).min(1) }),
  z.strictObject({
    kind: z.literal('cpu'),
    verdict,
    cpu: z.strictObject({ vendor: text, family: whole }),
  }),
  z.strictObject({
    kind: z.literal('move-device'),
    verdict,
    device: address,
    to: address.nullable(),
    ports: z.array(z.strictObject({ address, free: z.boolean(), clear: z.array(target) })),
  }),
]);

const register = z.strictObject({ value: hex, unknownBits: hex });
const counts = z.strictObject({
  busAddr: whole,
  thruHostBridge: whole,
  cpuDecides: whole,
  notSupported: whole,
  unknown: whole,
});

/** The document. */
export const p2pSchema = z.strictObject({
  schema: z.literal('sgfree/p2p/v1'),
  dump: z.strictObject({
    source: text,
    formats: z.array(text).min(1),
    functions: whole,
    hostBridges: z.array(text),
    partial: z.boolean(),
    remarks: z.array(
      z.strictObject({
        code,
        file: text.nullable(),
        line: whole.nullable(),
        device: text.nullable(),
        what: text,
        consequence: text,
      }),
    ),
  }),
  rules: z.strictObject({
    kernel: text,
    kernelKnown: z.boolean(),
    cpu: z.strictObject({ vendor: text, family: whole }).nullable(),
    cpuFrom: z.enum(['option', 'dump', 'nothing']),
    iommu: z.enum(['on', 'pt', 'off']).nullable(),
  }),
  leftOut: z.array(address),
  devices: z.array(device).min(1),
  pairs: z.array(pair),
  summary: z
    .strictObject({
      pairs: whole,
      verdicts: counts,
      rules: z.array(
        z.strictObject({
          rule: z.union([rule, z.literal('cpu-or-not-listed')]),
          pairs: whole,
          hosts: z.array(text),
        }),
      ),
      redirecting: z.array(z.strictObject({ address, acsControl: hex, pairs: whole })),
      acsWithoutRedirect: whole,
      open: z.record(z.string(), whole),
      plan: z
        .strictObject({ functions: z.array(address).min(1), argument: text, gainedPairs: whole.min(1) })
        .nullable(),
    })
    .nullable(),
  route: route.nullable(),
  advice: z
    .strictObject({
      busAddress: z.enum(['today', 'clear-redirect', 'no-common-switch', 'not-clearable', 'unknown']),
      changes: z.array(change),
      remarks,
    })
    .nullable(),
  whatIf: z
    .strictObject({
      changes: z.array(text).min(1),
      registers: z.array(z.strictObject({ address, entry: text, before: register, after: register })),
      losses,
      mistakes: z.array(z.strictObject({ code, text: z.string(), explanation: text })),
      remarks,
      changedPairs: z.array(z.strictObject({ before: pair, after: pair })),
      route: route.nullable(),
      groups,
    })
    .nullable(),
});
