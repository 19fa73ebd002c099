// EventLog: it keeps order while enabled and nothing while off.
import { expect, it } from 'vitest';
import { EventLog } from './event-log.ts';

it('records in order while enabled only', () => {
  const log = new EventLog();
  log.post({ kind: 'hw:off' });
  log.enabled = true;
  log.post({ kind: 'hw:a', step: 1 });
  log.post({ kind: 'hw:b' });
  log.enabled = false;
  log.post({ kind: 'hw:off' });
  expect(log.events).toEqual([{ kind: 'hw:a', step: 1 }, { kind: 'hw:b' }]);
  log.clear();
  expect(log.events).toEqual([]);
});
