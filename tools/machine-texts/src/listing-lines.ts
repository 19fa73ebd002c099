// Lines of `lspci -vvv` from which tests put invented machines together.
// Source followed: the output of pciutils.
// Simplified: only lines that the readers look at.

const BITS = ['SrcValid', 'TransBlk', 'ReqRedir', 'CmpltRedir', 'UpstreamFwd', 'EgressCtrl', 'DirectTrans'];

const CONTROL =
  'Control: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-';

/** The bits of an ACS register, as lspci names them. */
export const acsBits = (value: number): string =>
  BITS.map((name, bit) => `${name}${(value >> bit) % 2 === 1 ? '+' : '-'}`).join(' ');

/** An extended capability that is no ACS: it shows that extended capabilities are shown. */
export const AER_LINE = 'Capabilities: [100 v2] Advanced Error Reporting';

/** The PCI Express capability of a function of `type`, such as `Root Port (Slot+)`. */
export const expressLine = (type: string): string => `Capabilities: [80] Express (v2) ${type}, IntMsgNum 0`;

/** The ACS capability with both registers; nothing for a function without one. */
export const acsLines = (capability: number, control: number | undefined): string[] =>
  control === undefined
    ? []
    : [
        'Capabilities: [148 v1] Access Control Services',
        `\tACSCap:\t${acsBits(capability)}`,
        `\tACSCtl:\t${acsBits(control)}`,
      ];

/** A function of a listing: its first line, and the others indented below it. */
export const listingBlock = (head: string, lines: readonly string[]): string =>
  [head, ...[CONTROL, ...lines].map((line) => `\t${line}`), '', ''].join('\n');
