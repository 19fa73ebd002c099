// What mapping came to is what iommufd did: a failed mapping counts for nothing, and what goes takes its memory along.
import { PAGE_SIZE } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { type GuestSpaceInput, guestSpaceSettings } from './guest-space-input.ts';
import { GuestSpaceScene } from './guest-space-scene.ts';
import { runGuestSpace } from './run-guest-space.ts';

const INPUT: GuestSpaceInput = { door: 'interconnect', trigger: 'reset', place: 'switch', seed: 5 };

function sceneBy(door: GuestSpaceInput['door']): GuestSpaceScene {
  return new GuestSpaceScene(guestSpaceSettings({ ...INPUT, door }), door);
}

const countsOf = ({ calls: { mappings } }: GuestSpaceScene) => {
  const { rangesOut, placesChosen, live, memory } = mappings;
  return { rangesOut, placesChosen, live, taken: memory.taken, now: memory.now };
};

describe('the mappings of a guest', () => {
  it('begin with its RAM, at a place of its own choice', () => {
    const { taken, ...counts } = countsOf(sceneBy('pal'));
    expect(counts).toEqual({ rangesOut: 1, placesChosen: 0, live: 1, now: taken });
    expect(taken).toBeGreaterThan(0);
  });

  it('are not those that fail, whatever they asked for meanwhile', () => {
    const scene = sceneBy('interconnect');
    const before = [countsOf(scene), scene.kernel.allocatedBytes] as const;
    const pages = [1, 3].map((page) => ({ offset: page * PAGE_SIZE, length: PAGE_SIZE }));
    const fd = scene.exportBar(...pages);
    expect(scene.run(scene.calls.mapFile(scene.ioas, fd, 2 * PAGE_SIZE))).toMatchObject({ ok: false });
    expect(countsOf(scene)).toEqual(before[0]);
    expect(scene.kernel.allocatedBytes).toBeGreaterThan(before[1]);
  });

  it('give back what they took when they are unmapped', () => {
    const scene = sceneBy('converter');
    const { calls, ioas } = scene;
    const before = countsOf(scene);
    const fd = scene.exportBar({ offset: 0, length: PAGE_SIZE });
    const [first, second] = [1, 2].map(() => scene.run(calls.mapFile(ioas, fd, PAGE_SIZE)));
    if (first?.ok !== true || second?.ok !== true) throw new Error('not mapped');
    const mapped = countsOf(scene);
    expect(mapped).toMatchObject({ rangesOut: 3, placesChosen: 2, live: 3, now: mapped.taken });
    scene.run(calls.unmap(ioas, first.value, PAGE_SIZE));
    expect(countsOf(scene)).toMatchObject({ rangesOut: 3, live: 2, taken: mapped.taken });
    scene.run(calls.unmap(ioas, second.value, PAGE_SIZE));
    expect(countsOf(scene)).toMatchObject({ live: 1, now: before.now, taken: mapped.taken });
    scene.run(calls.unmap(ioas, scene.ramIova, scene.ramSlots.bytes));
    expect(countsOf(scene)).toMatchObject({ live: 0, now: 0 });
  });

  it('are left over when nobody leaves', () => {
    const { leftovers } = runGuestSpace({ ...INPUT, plant: 'left-attached' }).stage;
    expect(leftovers.iovaRanges).toBe(2);
    expect(leftovers.trackingBytes).toBeGreaterThan(0);
    expect(runGuestSpace(INPUT).stage.leftovers).toMatchObject({ iovaRanges: 0, trackingBytes: 0 });
  });
});
