// The proof of stage 8 on the real sources: it passes as they are, and fails for every way in which a table could come back.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkReach, type ReachVerdict } from './check-reach.ts';
import { LAST_STAGE_PACKAGES, lastStageRules } from './last-stage-rules.ts';

const workspace = fileURLToPath(new URL('../../..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'sgfree-last-stage-'));
beforeAll(() => {
  for (const name of readdirSync(join(workspace, 'packages'))) {
    mkdirSync(join(copy, 'packages', name), { recursive: true });
    for (const part of ['package.json', 'src'])
      cpSync(join(workspace, 'packages', name, part), join(copy, 'packages', name, part), {
        recursive: true,
      });
  }
});
afterAll(() => rmSync(copy, { recursive: true }));

const verdicts = (folder: string): ReachVerdict[] =>
  lastStageRules(folder).map((rule) => checkReach(folder, rule));

/** The verdicts on the copy while `text` stands before the text of `file`. */
function planted(file: string, text: string): ReachVerdict[] {
  const path = join(copy, file);
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, `${text}\n${before}`);
  try {
    return verdicts(copy);
  } finally {
    writeFileSync(path, before);
  }
}

test('every package of the last stage is walked from its entry and from `.`, and reaches no scatterlist', () => {
  const starts = lastStageRules(workspace).map(({ start }) => start);
  expect(starts).toEqual(
    expect.arrayContaining(LAST_STAGE_PACKAGES.map((name) => `packages/${name}/src/stage-8.ts`)),
  );
  expect(starts).toEqual(
    expect.arrayContaining(LAST_STAGE_PACKAGES.map((name) => `packages/${name}/src/index.ts`)),
  );
  for (const { passed, modules, lines } of verdicts(workspace)) {
    expect([passed, lines.length, modules > 100]).toEqual([true, 1, true]);
    expect(lines[0]).toContain(`${modules} modules walked, reaches nothing of packages/dma-sg/`);
  }
});

const everywhere = LAST_STAGE_PACKAGES.length * 2;
test.each([
  ['an import deep in RDMA', 'packages/rdma/src/umem/ib-umem.ts', "import '@sgfree/dma-sg';", 2],
  [
    'a type of the table entry in the VFIO exporter',
    'packages/vfio-dmabuf/src/export/vfio-pci-dma-buf.ts',
    "import type { SgtAttachment } from '@sgfree/dma-buf/sgt';",
    2,
  ],
  [
    'a relative path in the GPU driver',
    'packages/gpu-driver/src/objects/gpu-bo.ts',
    "import '../../../dma-buf/src/sgt/dma-buf-sgt.ts';",
    2,
  ],
  [
    'an import below all of them',
    'packages/dma-buf/src/resv/dma-resv.ts',
    "import '@sgfree/dma-sg';",
    everywhere,
  ],
  [
    'an export of `.` alone',
    'packages/rdma/src/index.ts',
    "export { sgtImport } from './umem/sgt-import.ts';",
    1,
  ],
  [
    'an export of the stage alone',
    'packages/dma-buf/src/stage-8.ts',
    "export { dmaBufMapAttachment } from './sgt.ts';",
    1,
  ],
])('%s makes the proof fail', (_, file, text, failures) => {
  const failed = planted(file, text).filter(({ passed }) => !passed);
  expect(failed.length).toBe(failures);
  for (const { lines } of failed) expect(lines.slice(1).join('\n')).toContain(`${file} -> packages/`);
});

test('a package that lost its entry fails', () => {
  const path = join(copy, 'packages/rdma/package.json');
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, before.replaceAll('stage-8', 'stage-9'));
  rmSync(join(copy, 'packages/rdma/src/stage-8.ts'));
  const failed = verdicts(copy).filter(({ passed }) => !passed);
  expect(failed.map(({ lines }) => lines)).toEqual([
    ['packages/rdma/src/stage-8.ts: there is no such module'],
  ]);
});
