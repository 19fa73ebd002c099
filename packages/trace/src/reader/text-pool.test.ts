import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { TextPool, textOf } from './text-pool.ts';

const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);

test.prop([fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 200 })])(
  'the pool gives every word back, new or known',
  (words) => {
    const pool = new TextPool();
    for (const word of [...words, ...words]) {
      const bytes = encoded(`<${word}>`);
      expect(pool.text(bytes, 1, bytes.length - 1)).toBe(
        new TextDecoder('utf-8', { ignoreBOM: true }).decode(encoded(word)),
      );
    }
  },
);

describe('text', () => {
  it('that is no UTF-8 is taken as Latin-1', () => {
    expect(textOf(Uint8Array.of(0x41, 0xe9, 0x25, 0x32, 0x35), 0, 5)).toBe('Aé%25');
    expect(textOf(Uint8Array.of(0x41, 0xc3, 0xa9), 0, 3)).toBe('Aé');
  });

  it('of thousands of words does not fill the pool', () => {
    const pool = new TextPool();
    for (let word = 0; word < 20_000; word += 1) {
      const bytes = encoded(`task-${word}`);
      expect(pool.text(bytes, 0, bytes.length)).toBe(`task-${word}`);
    }
  });
});
