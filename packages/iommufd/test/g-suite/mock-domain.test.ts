// The kernel's `iommufd_mock_domain` tests, row by row: one and two devices, in pages of 4 KiB and of 2 MiB.
import { MOCK_ROWS } from '../tables/g-mock-rows.ts';
import { MOCK_PLAYS } from './mock-plays.ts';
import { MOCK_VARIANTS, testRows } from './play.ts';

testRows(MOCK_ROWS, MOCK_PLAYS, MOCK_VARIANTS);
