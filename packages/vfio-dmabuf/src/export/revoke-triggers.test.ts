// Every trigger of a revoke, on a buffer that an importer has mapped and written to.
import { addOffset } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { TRIGGER_ROWS } from '../../test/revoke-triggers.ts';
import { TestImporter } from '../../test/test-importer.ts';
import { featureBytes, VfioMachine } from '../../test/vfio-machine.ts';
import { vfioPciCoreMmap } from '../device/user-bar-mapping.ts';

describe('triggers', () => {
  it.each(TRIGGER_ROWS)(
    '$key',
    ({ machine: options = {}, before, act, result, moves, revoked, zaps, answers }) => {
      const machine = new VfioMachine(options);
      before?.(machine);
      const { vdev } = machine;
      const fd = machine.ioctl(featureBytes());
      const importer = new TestImporter(machine);
      expect(machine.run(importer.open(fd))).toBe(0);
      expect(machine.run(importer.write(Uint8Array.of(1)))).toBe(0);
      const [priv] = vdev.dmabufs;
      const mapping = vfioPciCoreMmap(vdev, 0);
      if (!mapping.ok) throw new Error('no BAR');
      expect(machine.run(mapping.value.touch(3))).toBe(true);
      const { revokes, unrevokes, zaps: zapsBefore } = vdev.counters;
      expect(act(machine)).toBe(result);
      expect([vdev.counters.revokes - revokes, vdev.counters.unrevokes - unrevokes]).toEqual(moves);
      expect([priv?.revoked, vdev.counters.zaps - zapsBefore]).toEqual([revoked, zaps]);
      if (zaps > 0) expect(mapping.value.presentPages).toBe(0);
      // Told once in each direction; the mapping does not come back by itself.
      expect(importer.told).toBe(moves[0] + moves[1]);
      expect(importer.mapped).toBe(moves[0] === 0);
      expect(priv?.kref).toBe(moves[0] === 0 ? 2 : 1);
      expect(machine.run(importer.write(Uint8Array.of(2)))).toBe(
        revoked ? -Errno.ENODEV : answers ? 0 : -Errno.EIO,
      );
      const bar = vdev.pdev.fn.bar(0)?.address ?? 0;
      const end = bar === 0 ? 0 : addOffset(bar, 4);
      expect(vdev.pdev.fn.claim(bar, end) !== null).toBe(answers);
      expect(machine.platform.order.allFree).toBe(true);
      machine.run(importer.close());
      machine.run(machine.platform.files.close(fd));
      expect(machine.leftovers).toEqual([0, 0, 0, 0, 0, 0, 0]);
      expect(machine.rules()).toEqual([]);
    },
  );
});
