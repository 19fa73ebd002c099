import { describe, expect, it } from 'vitest';
import { PagingStructureCache } from './paging-structure-cache.ts';
import { PageWalk, WalkOutcome } from './walk-format.ts';

const DOMAIN = 4;

/** A walk for a 4 KiB page that passed tables 100 (level 3), 101, 102 and 103 (level 0). */
function walkOfFourLevels(): PageWalk {
  const walk = new PageWalk();
  walk.begin(3);
  for (const [at, level] of [3, 2, 1, 0].entries()) walk.visit(level, 100 + at, 3 - (at === 3 ? 2 : 0));
  walk.finish(0x55, 1, 0, 1);
  return walk;
}

describe('PagingStructureCache', () => {
  it('finds the lowest table a walk passed, with the permissions up to there', () => {
    const cache = new PagingStructureCache(16);
    cache.remember(DOMAIN, 0x12345, walkOfFourLevels());
    expect(cache.live).toBe(3);
    expect(cache.find(DOMAIN, 0x12345 + 1, 3)).toBe(true);
    expect([cache.hitTable, cache.hitLevel, cache.hitPermissions]).toEqual([103, 0, 1]);
    expect(cache.find(DOMAIN, 0x12345 + 512, 3)).toBe(true);
    expect([cache.hitTable, cache.hitLevel]).toEqual([102, 1]);
    expect(cache.find(DOMAIN, 2 ** 35, 3)).toBe(false);
    expect(cache.find(DOMAIN + 1, 0x12345, 3)).toBe(false);
  });

  it('remembers no more than a walk that ended at a large page has passed', () => {
    const cache = new PagingStructureCache(16);
    const walk = new PageWalk();
    walk.begin(2);
    walk.visit(2, 200, 3);
    walk.visit(1, 201, 3);
    walk.finish(0, 512, 0, 3);
    cache.remember(DOMAIN, 7, walk);
    expect(cache.live).toBe(1);
    expect(cache.find(DOMAIN, 7, 2)).toBe(true);
    expect([cache.hitTable, cache.hitLevel]).toEqual([201, 1]);
  });

  it('leaves out levels that a walk skipped', () => {
    const cache = new PagingStructureCache(16);
    const walk = new PageWalk();
    walk.begin(3);
    walk.visit(3, 300, 3);
    walk.visit(0, 301, 3);
    walk.finish(9, 1, 0, 3);
    cache.remember(DOMAIN, 7, walk);
    expect(cache.live).toBe(1);
    expect(cache.find(DOMAIN, 7, 3)).toBe(true);
    expect([cache.hitTable, cache.hitLevel]).toEqual([301, 0]);
  });

  it('stays stale until an invalidation covers it', () => {
    const cache = new PagingStructureCache(16);
    cache.remember(DOMAIN, 0, walkOfFourLevels());
    cache.invalidatePages(DOMAIN, 512, 512);
    expect(cache.find(DOMAIN, 0, 3)).toBe(true);
    expect(cache.hitLevel).toBe(0);
    cache.invalidatePages(DOMAIN, 511, 1);
    expect(cache.live).toBe(0);
    cache.remember(DOMAIN, 0, walkOfFourLevels());
    cache.invalidateDomain(DOMAIN + 1);
    expect(cache.live).toBe(3);
    cache.invalidateDomain(DOMAIN);
    expect(cache.live).toBe(0);
    cache.remember(DOMAIN, 0, walkOfFourLevels());
    cache.invalidateAll();
    expect(cache.find(DOMAIN, 0, 3)).toBe(false);
  });

  it('is absent with no entries', () => {
    const cache = new PagingStructureCache(0);
    cache.remember(DOMAIN, 0, walkOfFourLevels());
    expect(cache.find(DOMAIN, 0, 3)).toBe(false);
    expect(cache.live).toBe(0);
  });

  it('walk outcomes say whether a translation was found', () => {
    expect(walkOfFourLevels().outcome).toBe(WalkOutcome.ok);
  });
});
