// The kernel's `iommufd_ioas` tests, row by row: without a device, with one, with two, and with batches of a single entry.
import { IOAS_ROWS } from '../tables/g-ioas-rows.ts';
import { ACCESS_PLAYS } from './access-plays.ts';
import { AREA_PLAYS } from './area-plays.ts';
import { IOAS_VARIANTS, testRows } from './play.ts';

testRows(IOAS_ROWS, { ...AREA_PLAYS, ...ACCESS_PLAYS }, IOAS_VARIANTS);
