import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { blameSchema } from '../test/blame-schema.ts';
import { type Ended, runCommand } from '../test/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'sgfree-blame-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MAPS = `
   modprobe-411     [002] .....    12.000100: map: IOMMU: iova=0x00000000fdc00000 - 0x00000000fdc20000 paddr=0x00000001a4400000 size=131072
   modprobe-411     [002] .....    12.000104: dma_alloc: 0000:5e:00.0 dma_addr=fdc00000 size=131072 virt_addr=00000000c0ffee11 flags=GFP_KERNEL attrs=
 kworker/u8:2-77    [003] .....    99.500000: dma_free: 0000:5e:00.0 dma_addr=fdc00000 size=131072 virt_addr=00000000c0ffee11 attrs=
 kworker/u8:2-77    [003] .....    99.500006: unmap: IOMMU: iova=0x00000000fdc00000 - 0x00000000fdc20000 size=131072 unmapped_size=131072
`.trimStart();
const FAULT =
  ' irq/40-AMD-Vi-12   [000] .....    99.502500: io_page_fault: IOMMU:wlan_drv 0000:5e:00.0 iova=0x00000000fdc00840 flags=0x0001\n';

/** Standard input comes in pieces of 100 bytes. */
async function blame(argv: readonly string[], stdin: string | Uint8Array = ''): Promise<Ended> {
  const bytes = typeof stdin === 'string' ? new TextEncoder().encode(stdin) : stdin;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 100) pieces.push(bytes.subarray(at, at + 100));
  return await runCommand(['blame', ...argv], pieces, { requestsFolder: folder });
}

describe('a fault after a free', () => {
  it('is told with device, buffer, both gaps and the reason', async () => {
    const { code, out, err } = await blame(['-'], MAPS + FAULT);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('Fault 1: write by 0000:5e:00.0 (wlan_drv) at 0xfdc00840');
    expect(out).toContain(
      'last owner: dma_alloc of 0000:5e:00.0, 131,072 bytes (128 KiB) at 0xfdc00000, physical 0x1a4400840',
    );
    expect(out).toMatch(/^ +2[.]5 ms +99[.]500000 +3 {2}0xfdc00000: given up by the driver$/m);
    expect(out).toMatch(/^ {2}2[.]494 ms +99[.]500006 +4 {2}0xfdc00000: unmapped by kworker\/u8:2-77$/m);
    expect(out).toContain('(strong, use-after-free)');
    expect(out).toContain('<stdin>: 1 line tells of IOMMU faults.');
  });

  it('reads the same from a packed file', async () => {
    const path = join(folder, 'trace.gz');
    writeFileSync(path, gzipSync(MAPS + FAULT));
    const { out } = await blame([path]);
    expect(out.replaceAll(path, '<stdin>')).toBe((await blame(['-'], MAPS + FAULT)).out);
  });

  it('is a document of the schema with --json', async () => {
    const document = blameSchema.parse(JSON.parse((await blame(['-', '--json'], MAPS + FAULT)).out));
    expect(document.stories).toHaveLength(1);
    expect(document.stories[0]).toMatchObject({
      ...{ address: '0xfdc00840', device: '0000:5e:00.0', access: 'write', count: 1 },
      owner: { sinceReleased: 2_500_000, sinceEnded: 2_494_000, offset: 0x840, physAddr: '0x1a4400840' },
      reasons: [{ code: 'use-after-free', confidence: 'strong' }],
    });
  });
});

describe('a fault at an address that no mapping has', () => {
  const wide = FAULT.replace('0x00000000fdc00840', '0xffff888012345678');

  it('is told exactly, as text and as a document', async () => {
    const { code, out } = await blame(['-'], MAPS + wide);
    expect(code).toBe(0);
    expect(out).toContain('Fault 1: write by 0000:5e:00.0 (wlan_drv) at 0xffff888012345678\n');
    expect(out).toContain('(likely, kernel-pointer)');
    expect(out).not.toContain('not used');
    const document = blameSchema.parse(JSON.parse((await blame(['-', '--json'], MAPS + wide)).out));
    expect(document.stories[0]).toMatchObject({
      ...{
        address: '0xffff888012345678',
        addressLow: '0xffff888012345678',
        addressHigh: '0xffff888012345678',
      },
      ...{ owner: null, coveringCount: 0 },
    });
  });

  it('can be asked about', async () => {
    const { out } = await blame(['-', '--address', '0xFFFF888012345678'], MAPS + wide);
    expect(out).toContain('Address 0xffff888012345678, as it stands');
    expect(out).toContain('1 line tells of IOMMU faults there.');
  });

  it('of the unit itself names no device and no neighbours', async () => {
    const line = 'iommu ivhd0: AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR address=0x12340]\n';
    const { out } = await blame(['-'], MAPS + line);
    expect(out).toContain('Fault 1: trouble of unit ivhd0, command at 0x12340\n');
    expect(out).not.toContain('owner');
    expect(out).not.toContain('next to it');
  });
});

describe('no fault', () => {
  it('is an answer', async () => {
    expect(await blame(['-'], MAPS)).toEqual({
      code: 0,
      out: '<stdin>: no IOMMU fault in this trace.\n',
      err: '',
    });
  });

  it('still lets an address be asked about', async () => {
    const { code, out } = await blame(['-', '--address', 'fdc00840', '--json'], MAPS);
    const document = blameSchema.parse(JSON.parse(out));
    expect(code).toBe(0);
    expect(document.stories[0]).toMatchObject({
      source: 'asked',
      owner: { state: 'ended', device: '0000:5e:00.0' },
    });
    expect((await blame(['-', '--address', '0xfdc00840'], MAPS)).out).toContain(
      'Address 0xfdc00840, as it stands',
    );
  });

  it('of the asked device is told', async () => {
    const { code, out, err } = await blame(['-', '--device', '0000:5f:00.0'], MAPS + FAULT);
    expect([code, err]).toEqual([0, 'sgfree: <stdin>: no event of 0000:5f:00.0\n']);
    expect(out).toBe(
      '<stdin>: no IOMMU fault of this device.\n1 line tells of faults that were not asked about.\n',
    );
    const { out: upper, err: quiet } = await blame(['-', '--device', '5E:00.0'], MAPS + FAULT);
    expect(quiet).toBe('');
    expect(upper).toContain('Fault 1: write by 0000:5e:00.0');
  });
});

describe('bad input', () => {
  it.each([
    ['an empty trace', ['-'], ''],
    ['no trace', ['-'], 'hello\nworld\n'],
    ['a missing file', [join(folder, 'absent')], ''],
    ['a directory', [folder], ''],
  ])('%s ends with 2 and one line', async (_name, argv, stdin) => {
    const { code, out, err } = await blame(argv, stdin);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^sgfree: [^\n]+\n$/);
  });

  it.each([
    [['-', '--address', 'zz']],
    [['-', '--address', '0x12345678901234567']],
    [['-', '--history', '5']],
    [['-', '--device', 'zz']],
    [['-', '--device', '']],
    [['-', '--history', 'many']],
    [[]],
  ])('%j is bad usage', async (argv) => {
    expect((await blame(argv, MAPS)).code).toBe(2);
  });

  it('a fault that cannot be read is not passed over in silence', async () => {
    const cut = FAULT.replace('0x00000000fdc00840', '0x1ffff888012345000');
    const { code, out } = await blame(['-'], MAPS + cut);
    expect(code).toBe(0);
    expect(out).toContain('1 line not used, the first is line 5');
  });

  it('half a packed trace is used as far as it goes, and said to be half', async () => {
    const packed = gzipSync(MAPS + FAULT.repeat(2000));
    const { code, out, err } = await blame(['-'], packed.subarray(0, packed.length - 40));
    expect(code).toBe(0);
    expect(out).toContain('use-after-free');
    expect(err).toMatch(/^sgfree: <stdin>: [^\n]+\n$/);
  });

  it('control characters of a trace do not reach the terminal', async () => {
    const trace = MAPS.replaceAll('modprobe-411', 'm\u001b[31mx-411') + FAULT;
    const { code, out } = await blame(['-'], trace);
    expect(code).toBe(0);
    expect(out).not.toContain('\u001b');
  });
});
