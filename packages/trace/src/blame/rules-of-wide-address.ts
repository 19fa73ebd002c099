// Rules of wide addresses: the address is one that no mapping ever has, and says itself what it is.
// Source followed: include/linux/poison.h, Documentation/arch/x86/x86_64/mm.rst, drivers/iommu/amd (the range of
// HyperTransport is kept out of DMA address spaces), the interrupt range of x86.
// Simplified: a value may be there by chance, so a pattern alone is never strong below 48 bits.

import type { AddressAlias } from './address-alias.ts';
import type { BlameReason, BlameRule, FaultCase } from './blame-reason.ts';
import { evidenceAt, remark, weakerIf } from './blame-reason.ts';
import { WIDE } from './fault-address.ts';
import type { MappingSighting } from './mapping-sighting.ts';
import { mappingText } from './mapping-words.ts';
import { hasOwner } from './rules-of-value.ts';
import { hexText } from './wording.ts';

/** Messages to this range are interrupts on x86. */
const INTERRUPTS = [0xfee00000, 0xfef00000] as const;
/** Interrupts and their ends on HyperTransport, and the whole range that it keeps for itself. */
const AMD_INTERRUPTS = [0xfd_f800_0000, 0xfd_f900_0000] as const;
const AMD_RESERVED = [0xfd_0000_0000, 0x100_0000_0000] as const;
/** First address of the upper half, of the kernel, with five levels of CPU page tables. */
const UPPER_HALF = 2 ** 64 - 2 ** 56;

const isIn = (address: number, [first, past]: readonly [number, number]): boolean =>
  address >= first && address < past;

/** The address on the bus of 40 bits: as it is, or with its sign extended. */
function busAddress({ fault, aliases }: FaultCase): number {
  return aliases.find(({ bits }) => bits === 40)?.address ?? fault.address;
}

/** An interrupt message. */
export const interruptRange: BlameRule = (one): BlameReason | undefined => {
  const { source, reading, addressText } = one.fault;
  if (reading.kind === 'interrupt' || hasOwner(one)) return undefined;
  const isAmd = source === 'amd-vi' && isIn(busAddress(one), AMD_INTERRUPTS);
  if (!isAmd && !isIn(one.fault.address, INTERRUPTS)) return undefined;
  const range = isAmd ? AMD_INTERRUPTS : INTERRUPTS;
  return {
    code: 'interrupt-not-memory',
    confidence: 'likely',
    text: 'the address is in the range of interrupt messages: the device raised an interrupt, or the end of one, and the unit refused that; no buffer is ever mapped there',
    evidence: [remark(`${addressText} is in ${hexText(range[0])} to ${hexText(range[1] - 1)}`)],
  };
};

/** The range below 1 TiB that AMD machines keep for HyperTransport. */
export const reservedRange: BlameRule = (one): BlameReason | undefined => {
  const bus = busAddress(one);
  if (one.fault.source !== 'amd-vi' || hasOwner(one)) return undefined;
  if (!isIn(bus, AMD_RESERVED) || isIn(bus, AMD_INTERRUPTS)) return undefined;
  return {
    code: 'reserved-range',
    confidence: 'likely',
    text: 'the address is in the range that HyperTransport keeps for itself: the kernel never hands it out as a DMA address',
    evidence: [remark(`${hexText(AMD_RESERVED[0])} to ${hexText(AMD_RESERVED[1] - 1)}`)],
  };
};

/** Bytes that the kernel writes over memory, and what they stand for. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/^(?:6b)+6?$/, 'freed memory (0x6b in every byte)'],
  [/^(?:5a)+5?$/, 'memory never written to (0x5a in every byte)'],
  [/^(?:aa)+a?$/, 'freed pages (0xaa in every byte)'],
  [/^dead000000000$/, 'a list entry that was taken out (0xdead000000000100 and above)'],
];
const SHORT = 5;
const LONG = 9;

/** What the kernel writes over memory that nobody may use. */
export const poisonPattern: BlameRule = (one): BlameReason | undefined => {
  const { addressText } = one.fault;
  const page = addressText.slice(2, -3);
  const found = page.length < SHORT ? undefined : PATTERNS.find(([pattern]) => pattern.test(page));
  if (found === undefined || hasOwner(one)) return undefined;
  return {
    code: 'poison-pattern',
    confidence: page.length < LONG ? 'possible' : 'strong',
    text: `the address is the pattern that the kernel writes over ${found[1]}: the descriptor or the pointer to it was read from such memory`,
    evidence: [remark(addressText)],
  };
};

const mineIn = (sightings: readonly MappingSighting[]): MappingSighting | undefined =>
  sightings.find(({ owner, state }) => owner !== 'other' && state !== 'later');

/** A DMA address that went through a signed type. */
export const signExtension: BlameRule = ({ aliases }): BlameReason | undefined => {
  const alias = aliases.find(
    ({ kind, around }) => kind === 'sign-extended' && mineIn(around.covering) !== undefined,
  );
  const match = alias === undefined ? undefined : mineIn(alias.around.covering);
  if (alias === undefined || match === undefined) return undefined;
  return {
    code: 'sign-extended',
    confidence: weakerIf(match.state !== 'live', weakerIf(match.owner === 'unnamed', 'strong')),
    text: `the address is ${hexText(alias.address)} with its sign extended from ${alias.bits} bits, and that was mapped: it went through a signed type on its way to the device`,
    evidence: [evidenceAt(match.mapped, `${match.state}: ${mappingText(match)}`)],
  };
};

/** An address of the CPU. */
export const kernelPointer: BlameRule = (one): BlameReason | undefined => {
  const { fault, aliases } = one;
  if (fault.address < UPPER_HALF || fault.address >= 2 ** 64 - 4096) return undefined;
  if (isIn(busAddress(one), AMD_RESERVED) && fault.source === 'amd-vi') return undefined;
  const direct = aliases.find(({ kind }) => kind === 'direct-map');
  const match = direct === undefined ? undefined : mineIn(direct.around.byPhysical);
  return {
    code: 'kernel-pointer',
    confidence: match?.owner === 'own' ? 'strong' : 'likely',
    text: 'the address looks like a virtual address of the kernel, which no device can use: a pointer was given to the device in place of a DMA address, or a descriptor was overwritten',
    evidence: [
      remark(`${fault.addressText} is in the upper half of the address space`),
      ...(direct === undefined || match === undefined ? [] : directEvidence(direct, match)),
    ],
  };
};

function directEvidence({ address }: AddressAlias, match: MappingSighting): BlameReason['evidence'] {
  return [
    remark(
      `it would be physical ${hexText(address)} where x86-64 maps all memory, unless that was moved at boot`,
    ),
    evidenceAt(match.mapped, `that memory was mapped: ${mappingText(match)}`),
  ];
}

/** Nothing more is known than that it is too wide. */
export const widerThanAny: BlameRule = ({ fault }): BlameReason | undefined => {
  if (fault.address < WIDE || fault.reading.kind === 'width') return undefined;
  return {
    code: 'address-too-wide',
    confidence: 'likely',
    text: 'the address is wider than any mapping: no DMA address has so many bits, so the descriptor or register held something else',
    evidence: [remark(`${fault.addressText} is at or beyond 2^52`)],
  };
};
