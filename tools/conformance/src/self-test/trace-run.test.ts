// The proof for traces must itself fail where a suite is too lenient.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Mismatch, Suite } from '../suite.ts';
import { mapSuite } from '../suites/map.ts';
import { openSelfTestFile, type SelfTestFile } from './self-test-file.ts';
import { TriedSlots, tryTrace } from './trace-run.ts';

const NAME = 'kernel/inv/strict_cm/inv_2.jsonl';
const path = fileURLToPath(new URL(`../../../../vectors/${NAME}`, import.meta.url));

/** A recorded file with a suite that passes over some of its mismatches. */
function fileWith(isSeen: (mismatch: Mismatch) => boolean): SelfTestFile {
  const lenient: Suite = {
    ...mapSuite,
    open: (header, context) => {
      const replayer = mapSuite.open(header, context);
      return {
        replay: (record) => replayer.replay(record).filter(isSeen),
        finish: () => (replayer.finish?.() ?? []).filter(isSeen),
      };
    },
  };
  const file = openSelfTestFile({ path, name: NAME }, [lenient]);
  if (file === null) throw new Error('the file is skipped');
  return file;
}

const missedBy = (isSeen: (mismatch: Mismatch) => boolean): string[] =>
  tryTrace(fileWith(isSeen), true, new TriedSlots())
    .filter(({ verdict }) => verdict !== 'noticed')
    .map(({ shape, alteration }) => `${shape}: ${alteration}`);

test('a comparison of everything misses nothing, and tries every event', () => {
  const tried = tryTrace(
    fileWith(() => true),
    true,
    new TriedSlots(),
  );
  expect(tried.filter(({ verdict }) => verdict !== 'noticed')).toEqual([]);
  const events = new Set(tried.map(({ shape }) => shape.replace(/ .*/, '')));
  expect([...events].sort((one, other) => (one < other ? -1 : 1))).toEqual([
    'cache_tag_flush_range',
    'cache_tag_flush_range_np',
    'dma_map_phys',
    'dma_unmap_phys',
    'map',
    'qi_submit',
    'unmap',
  ]);
});

test('an event that is not compared is found out, word by word', () => {
  const missed = missedBy(
    ({ expected, got }) => ![expected, got].some((text) => String(text).startsWith('qi_submit')),
  );
  expect(missed).toEqual([1, 2, 3, 4, 5, 6].map((word) => `qi_submit word ${word}: word changed`));
});

test('a comparison of a set, not of an order, is found out', () => {
  expect(missedBy(({ expected, got }) => expected !== null && got !== null)).not.toEqual([]);
});

test('a model that follows the trace is found out: the mismatch must have what was recorded', () => {
  const echo = fileWith(() => true);
  const { suite } = echo;
  const following: Suite = {
    ...suite,
    open: (header, context) => {
      const replayer = suite.open(header, context);
      return {
        replay: (record) =>
          replayer.replay(record).map((mismatch) => ({ ...mismatch, got: mismatch.expected })),
        finish: () => replayer.finish?.() ?? [],
      };
    },
  };
  const file = openSelfTestFile({ path, name: NAME }, [following]);
  expect(file).not.toBeNull();
  if (file === null) return;
  const verdicts = tryTrace(file, true, new TriedSlots()).map(({ verdict }) => verdict);
  expect(verdicts).toContain('unnoticed');
});

test('a trace that the suite does not read is not altered, and a slot is tried twice', () => {
  const slots = new TriedSlots();
  expect(
    tryTrace(
      fileWith(() => true),
      false,
      slots,
    ),
  ).toEqual([]);
  expect([slots.take('a'), slots.take('a'), slots.take('a'), slots.take('b')]).toEqual([
    true,
    true,
    false,
    true,
  ]);
});
