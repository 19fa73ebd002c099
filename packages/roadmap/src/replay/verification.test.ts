// What a replay claims is proven in the model, and the proof bites: a unit that forgets to invalidate, a wrong table entry.
import { NO_ATTRS } from '@sgfree/dma-core';
import { describe, expect, it } from 'vitest';
import { traced } from '../../test/traced-mappings.ts';
import { replayMapping } from './replay-mapping.ts';
import { ReplayRun } from './replay-run.ts';
import { replayVerdict } from './replay-verdict.ts';
import { runReport } from './run-report.ts';

const place = { slot: 0, device: 0, cpu: 0 };

/** A mapping of the sample that is looked at. */
function sampled() {
  const mapping = traced('phys', [[0x1000000, 4096]], -1, { id: 256 });
  return replayMapping(mapping, place, mapping.piecePhys, NO_ATTRS);
}

function strictRun(): ReplayRun {
  const run = new ReplayRun(1, 'strict');
  run.addDevice('0000:01:00.0', 'dma-api');
  return run;
}

describe('the checks of a run', () => {
  it('pass on a good run', () => {
    const run = strictRun();
    run.map(sampled(), -1);
    run.unmap(sampled(), -1, 0);
    const report = runReport(run, []);
    expect(report.checks).toMatchObject({
      lookedAt: 2,
      lookedAtAfterUnmap: 1,
      answeredAfterUnmap: 0,
      wrongCount: 0,
    });
    expect(replayVerdict([report])).toEqual({
      ok: true,
      line: 'OK: 1 runs, 3 translations looked at, nothing left behind',
    });
  });

  it('notice an IOTLB that was not flushed', () => {
    const run = strictRun();
    run.map(sampled(), -1);
    run.machine.unit.dropNextInvalidations(1);
    run.unmap(sampled(), -1, 0);
    const report = runReport(run, []);
    expect(report.checks).toMatchObject({
      answeredAfterUnmap: 1,
      wrongCount: 1,
      wrong: [{ line: sampled().traced.mappedLine - 1, expected: -1, got: 0x1000000 }],
    });
    expect(replayVerdict([report])).toEqual({
      ok: false,
      line: 'FAILED: stage 1 strict: a translation was wrong',
    });
  });

  it('notice a mapping that leads elsewhere', () => {
    const run = strictRun();
    const mapping = sampled();
    run.map({ ...mapping, traced: { ...mapping.traced, id: 1 } }, -1);
    const elsewhere = { ...mapping, phys: [0x2000000] };
    run.check.mapped(elsewhere, 1, 0xfffff000, 0xffffffff);
    expect(run.check).toMatchObject({ looked: 2, wrongCount: 2 });
  });

  it('notice what stays mapped', () => {
    const run = strictRun();
    run.map(sampled(), -1);
    // The run is not told of its live mapping.
    const report = runReport(run, []);
    expect(report.checks.leftovers).toEqual({
      iovaRanges: 1,
      pageTableEntries: 1,
      trackingBytes: 16,
      mappings: 1,
    });
    expect(replayVerdict([report]).line).toBe('FAILED: stage 1 strict: something stayed mapped or allocated');
  });

  it('notice a rule that a call broke, unless the call failed', () => {
    const run = strictRun();
    const log = run.machine.log;
    for (const failed of [true, false]) {
      log.enabled = true;
      log.post({ kind: 'violation', rule: 'dma-test' });
      log.post({ kind: 'iommu:map' });
      log.callEnded(failed);
      log.post({ kind: 'violation', rule: 'nobody listens' });
    }
    const report = runReport(run, []);
    expect(report.checks.violations).toEqual({ 'dma-test': 1 });
    expect(report.checks.violationsOfFailedCalls).toEqual({ 'dma-test': 1 });
    expect(replayVerdict([report]).line).toBe('FAILED: stage 1 strict: a call of the model broke a rule');
  });

  it('see the exposure of lazy mode without calling it wrong', () => {
    const run = new ReplayRun(1, 'lazy');
    run.addDevice('0000:01:00.0', 'dma-api');
    run.map(sampled(), -1);
    run.unmap(sampled(), -1, 0);
    const report = runReport(run, []);
    expect(report.checks).toMatchObject({ lookedAtAfterUnmap: 1, answeredAfterUnmap: 1, wrongCount: 0 });
    expect(replayVerdict([report]).ok).toBe(true);
  });
});
