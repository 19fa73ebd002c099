// Text in, report out: clocks, lost events, bounces, and chunks of any size.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runOf } from '../../test/traced-mappings.ts';
import type { ReplayReport } from './replay-report.ts';
import { TraceReplay } from './trace-replay.ts';

const line = (time: string, text: string, cpu = 0): string =>
  `   nvme-1     [00${cpu}] ..... ${time}: ${text}\n`;
const mapped = (time: string, iova: string): string =>
  line(
    time,
    `map: IOMMU: iova=0x00000000${iova} - 0x00000000${(Number.parseInt(iova, 16) + 4096).toString(16)} paddr=0x0000000012345000 size=4096`,
  ) +
  line(time, `dma_map_phys: 0000:01:00.0 dir=TO_DEVICE dma_addr=${iova} size=4096 phys_addr=12345000 attrs=`);
const unmapped = (time: string, iova: string): string =>
  line(
    time,
    `unmap: IOMMU: iova=0x00000000${iova} - 0x00000000${(Number.parseInt(iova, 16) + 4096).toString(16)} size=4096 unmapped_size=4096`,
  ) + line(time, `dma_unmap_phys: 0000:01:00.0 dir=TO_DEVICE dma_addr=${iova} size=4096 attrs=`);

function replayed(text: string, chunkBytes = 1 << 16): { report: ReplayReport; replay: TraceReplay } {
  const replay = new TraceReplay();
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) replay.push(bytes.subarray(at, at + chunkBytes));
  return { replay, report: replay.end() };
}

const recorded: readonly string[] = gunzipSync(
  readFileSync(new URL('../../../../vectors/kernel/io/lazy/trace_nvio_small.txt.gz', import.meta.url)),
)
  .toString()
  .split('\n')
  .slice(12);

const PAIR = mapped('1.000000', 'fff00000') + unmapped('1.004000', 'fff00000');

describe('a trace', () => {
  it('says the same in chunks of any size', () => {
    const whole = replayed(PAIR).report;
    expect(whole.runs[0]?.total).toMatchObject({ mapped: 1, unmapped: 1 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: PAIR.length }), (size) => {
        expect(replayed(PAIR, size).report).toEqual(whole);
      }),
      { numRuns: 10 },
    );
  });

  it('of a clock that counts no time is replayed without time', () => {
    const { report } = replayed(mapped('123456789', 'fff00000') + unmapped('999999999', 'fff00000'));
    expect(report.nanoseconds).toBe(-1);
    expect(runOf(report, 1, 'lazy').total).toMatchObject({
      unmapped: 1,
      flushQueue: { queued: 1, timerFlushes: 0 },
    });
  });

  it('without the end of its mappings has leaks, without their beginning findings', () => {
    const { report } = replayed(mapped('1.000000', 'fff00000') + unmapped('1.001000', 'fff01000'));
    expect(report.traced.liveAtEnd).toMatchObject({
      count: 1,
      bytes: 4096,
      first: [{ dmaAddr: 0xfff00000 }],
    });
    expect(Object.keys(report.traced.findings).sort()).toEqual(['live-at-end', 'unmap-without-map']);
    expect(report.verdict.ok).toBe(true);
  });

  it('that lost events says so where it matters', () => {
    const { report, replay } = replayed(`CPU:0 [LOST 5 EVENTS]\n${PAIR}`);
    expect(replay.tally.lostEvents).toBe(5);
    expect(report.traced.mappings.phys).toBe(1);
  });

  it('with bounces counts them', () => {
    const bounce =
      'swiotlb_bounced: dev_name: 0000:01:00.0 dma_mask=ffffffff dev_addr=123456000 size=512 NORMAL';
    const { report } = replayed(PAIR + line('1.500000', bounce));
    expect(report.devices[0]?.bounced).toEqual({ count: 1, bytes: 512 });
  });

  it('of nothing has runs without work', () => {
    const { report, replay } = replayed('');
    expect(replay.tally.usable).toBe(false);
    expect(report.devices).toEqual([]);
    for (const { total } of report.runs) expect(total).toMatchObject({ mapped: 0, entriesWritten: 0 });
  });

  it('with lines lost, doubled, swapped and bent is replayed as far as it goes, and the model stays right', () => {
    const place = fc.nat({ max: recorded.length - 1 });
    const change = fc.record({
      what: fc.constantFrom('drop', 'double', 'swap', 'bend', 'cut'),
      at: place,
      other: place,
      text: fc.constantFrom('0', 'f', 'ffffffff', ' ', '=', '1000'),
    });
    fc.assert(
      fc.property(place, fc.array(change, { maxLength: 60 }), (from, changes) => {
        const lines = [...recorded.slice(from), ...recorded.slice(0, from)];
        for (const { what, at, other, text } of changes) {
          const one = lines[at] ?? '';
          if (what === 'drop') lines.splice(at, 1);
          else if (what === 'double') lines.splice(other, 0, one);
          else if (what === 'cut') lines[at] = one.slice(0, other % 150);
          else if (what === 'bend')
            lines[at] = one.slice(0, other % 150) + text + one.slice((other % 150) + 1);
          else [lines[at], lines[other]] = [lines[other] ?? '', one];
        }
        const { verdict, runs, traced } = replayed(lines.join('\n')).report;
        expect(verdict).toMatchObject({ ok: true });
        const made = Object.values(traced.mappings).reduce((sum, count) => sum + count, 0);
        const refused = Object.values(traced.refused).reduce((sum, count) => sum + count, 0);
        for (const { total } of runs) {
          const failed = Object.values(total.failed).reduce((sum, count) => sum + count, 0);
          expect(total.mapped + failed + refused).toBe(made);
        }
      }),
      { numRuns: 25 },
    );
  });
});
